// The browser script, from src/client: dist/client/client.js for browsers with ES2017, client.es5.js
// for those without (esbuild cannot lower that far, so TypeScript does), morph.js for pages that are
// live themselves.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { build, transform } from 'esbuild';
import ts from 'typescript';

const OUT = 'dist/client';
const ENTRIES = {
  client: 'src/client/main.ts',
  link: 'src/client/link-main.ts',
  images: 'src/client/images-main.ts',
  morph: 'src/client/morph/main.ts',
};
/** Names of ours that are in no message, in nothing that a page sees, and in one file only. */
const OWN_NAMES =
  /^(?:absolute|answer|askedAt|awaited|beginWrite|delayMs|followed|isOver|isPlain|isQueued|isRecoded|isRpc|learn|onNews|onSent|pathOf|query|rule|run|seen|skips|stage|told|untilMs|usedAt|writes)$/;

/** One file for one page: nothing of it is seen by the page's own scripts. */
async function bundle(entry, options) {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'iife',
    charset: 'utf8',
    tsconfig: 'src/client/tsconfig.json',
    legalComments: 'none',
    // What is loaded before each page has to be small.
    ...(entry === ENTRIES.client ? { mangleProps: OWN_NAMES } : {}),
    ...options,
  });
  return result.outputFiles[0].text;
}

async function es5(entry) {
  const whole = await bundle(entry, { target: 'es2017' });
  const { outputText } = ts.transpileModule(whole, {
    compilerOptions: {
      target: ts.ScriptTarget.ES5,
      module: ts.ModuleKind.None,
      ignoreDeprecations: '6.0',
      removeComments: true,
    },
  });
  const { code } = await transform(outputText, { minify: true, target: 'es5' });
  return code;
}

mkdirSync(OUT, { recursive: true });
for (const [name, entry] of Object.entries(ENTRIES)) {
  if (!existsSync(entry)) continue;
  writeFileSync(`${OUT}/${name}.js`, await bundle(entry, { target: 'es2017', minify: true }));
  writeFileSync(`${OUT}/${name}.es5.js`, await es5(entry));
}

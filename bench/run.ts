import { readdirSync } from 'node:fs';
import { arch, cpus, platform } from 'node:os';
import { fileURLToPath } from 'node:url';

/*
 * npm run bench [name [what]]: every benchmark, or one, of which some measure more when asked to. Each compares in one run with what is known as a
 * floor or with what a user would take instead; figures of different runs do not compare.
 */
const folder = fileURLToPath(new URL('.', import.meta.url));
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.replace('.bench.ts', ''));
const [wanted, ...args] = process.argv.slice(2);
if (wanted !== undefined && !names.includes(wanted)) {
  console.error(`There is no benchmark "${wanted}": there are ${names.join(', ')}`);
  process.exit(64);
}
const [cpu] = cpus();
console.log(
  `${cpus().length} x ${cpu?.model ?? 'unknown'}, ${platform()} ${arch()}, node ${process.version}`,
);
for (const name of wanted === undefined ? names : [wanted]) {
  console.log(`\n${name}`);
  const { run } = (await import(`./${name}.bench.ts`)) as {
    run: (args: readonly string[]) => Promise<void>;
  };
  await run(args);
}

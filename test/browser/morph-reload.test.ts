import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { BrowserName } from '../support/browsers.ts';
import { openBrowser, skipWithout } from '../support/browsers.ts';
import type { MorphPage } from './morph-page.ts';
import { openMorphPage, pageOf } from './morph-page.ts';

/** A change that a page can only be loaded for. */
interface Load {
  readonly rule: string;
  readonly from: string;
  readonly to: string;
  readonly act?: string;
  readonly reason: string;
}

const frames = (text: string) =>
  `<html><head><title>${text}</title></head><frameset cols="50%,50%"><frame src="/a"><frame src="/b"></frameset></html>`;

const LOADS: readonly Load[] = [
  {
    rule: 'data that an inline script draws',
    from: pageOf('<p id="a"></p><script>a.textContent = 1</script>'),
    to: pageOf('<p id="a"></p><script>a.textContent = 2</script>'),
    reason: 'script',
  },
  {
    rule: 'data in a script that is none',
    from: pageOf('<script type="application/json">[1]</script>'),
    to: pageOf('<script type="application/json">[2]</script>'),
    reason: 'script',
  },
  {
    rule: 'another script file',
    from: pageOf('<script src="/app.js?v=1"></script>'),
    to: pageOf('<script src="/app.js?v=2"></script>'),
    reason: 'script',
  },
  {
    rule: 'a script in a new row',
    from: pageOf('<ul><li>1</li></ul>'),
    to: pageOf('<ul><li>1</li><li>2<script>window.ran = true</script></li></ul>'),
    reason: 'script',
  },
  {
    rule: 'another policy',
    from: pageOf('', `<meta http-equiv="Content-Security-Policy" content="img-src 'self'">`),
    to: pageOf('', `<meta http-equiv="Content-Security-Policy" content="img-src *">`),
    reason: 'script',
  },
  {
    rule: 'a style with a nonce that the page was not loaded with',
    from: pageOf('', '<style nonce="a">p{}</style>'),
    to: pageOf('', '<style nonce="b">p{}</style><style nonce="b">q{}</style>'),
    reason: 'script',
  },
  { rule: 'frames', from: frames('one'), to: frames('two'), reason: 'frames' },
  {
    rule: 'figures in the place of which a script has drawn something',
    from: pageOf('<p>x</p><pre id="data">1,2,3</pre>'),
    act: `const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg'); data.replaceWith(svg)`,
    to: pageOf('<p>x</p><pre id="data">1,2,4</pre>'),
    reason: 'lost',
  },
];

async function isLoadedFor(tab: MorphPage, { from, to, act, reason }: Load): Promise<void> {
  await tab.load(from);
  if (act) await tab.ask(`(() => { ${act} })()`);
  const shown = 'document.documentElement.outerHTML';
  const before = await tab.ask(shown);
  assert.deepEqual(await tab.become(to), { changed: 0, reload: true, reason, isEdited: false });
  assert.equal(await tab.ask(shown), before);
}

for (const name of ['chromium', 'firefox'] satisfies BrowserName[]) {
  const options = { skip: skipWithout(name), timeout: 600_000 };

  test(
    `${name}: a page is loaded for what cannot be changed in place`,
    options,
    async (t: TestContext) => {
      const tab = await openMorphPage(t, await openBrowser(t, name), name);
      for (const load of LOADS) await t.test(load.rule, () => isLoadedFor(tab, load));

      await t.test(
        'scripts and nonces that are the same are no reason, and nothing runs twice',
        async () => {
          const html = (text: string, nonce: string) =>
            pageOf(
              `<p id="a">${text}</p><script>window.runs = (window.runs ?? 0) + 1</script><ul><li>1</li>${text}</ul>`,
              `<style nonce="${nonce}">p{}</style><script nonce="${nonce}">window.other = 1</script>`,
            );
          await tab.load(html('one', 'a'));
          assert.equal((await tab.become(html('two', 'b'))).reload, undefined);
          const seen = '[a.textContent, runs, document.querySelector("style").nonce]';
          assert.deepEqual(await tab.ask(seen), ['two', 1, 'a']);
        },
      );

      await t.test(
        'a script of a new part that the page has run already does not run again',
        async () => {
          const script = '<script>window.runs = (window.runs ?? 0) + 1</script>';
          for (const contentType of ['text/html', 'application/xhtml+xml']) {
            const html = (body: string) =>
              `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>t</title></head><body>${body}</body></html>`;
            await tab.load(html(`<p>1</p>${script}`), { contentType });
            const next = html(`<div><p>new</p>${script}</div><p>1</p>`);
            assert.equal((await tab.become(next)).reload, undefined);
            assert.deepEqual(
              await tab.ask('[runs, document.querySelectorAll("p").length]'),
              [1, 2],
            );
          }
        },
      );

      await t.test('it is said whether a load would take what is being written', async () => {
        await tab.load(pageOf('<input name="q"><script>1</script>'));
        await tab.ask(`document.querySelector('input').value = 'typed'`);
        const result = await tab.become(pageOf('<input name="q"><script>2</script>'));
        assert.deepEqual([result.reload, result.isEdited], [true, true]);
      });

      await t.test(
        'after a load was asked for the next page is still compared with the shown one',
        async () => {
          await tab.load(pageOf('<p id="a">1</p><script>1</script>'));
          assert.equal(
            (await tab.become(pageOf('<p id="a">2</p><script>2</script>'))).reload,
            true,
          );
          assert.equal((await tab.become(pageOf('<p id="a">3</p><script>1</script>'))).changed, 1);
          assert.equal(await tab.ask('a.textContent'), '3');
        },
      );

      await t.test(
        'without the former page it is guessed from the shown one, if all of it is known',
        async () => {
          const html = (text: string, more = '') =>
            pageOf(`<ul id="l"><li>${text}</li>${more}</ul><details id="d">${text}</details>`);
          await tab.load(html('one'));
          await tab.ask(
            `l.className = 'open'; d.open = true; document.head.append(document.createElement('style'))`,
          );
          assert.equal((await tab.becomeUnknown(html('two', '<li>new</li>'))).reload, undefined);
          const seen = '[l.textContent, l.className, d.open, document.head.lastChild.localName]';
          assert.deepEqual(await tab.ask(seen), ['twonew', 'open', true, 'style']);

          await tab.load(html('one'));
          await tab.ask(`l.append(document.createElement('hr'))`);
          assert.equal((await tab.becomeUnknown(html('two'))).reason, 'unknown');
        },
      );

      await t.test(
        'under trusted types it changes the page, or has it loaded where it may not parse',
        async () => {
          for (const [policy, reason] of [
            ["require-trusted-types-for 'script'", undefined],
            ["require-trusted-types-for 'script'; trusted-types comet-proxy", undefined],
            ["require-trusted-types-for 'script'; trusted-types other", 'unparsable'],
            ['trusted-types other', undefined],
          ] as const) {
            await tab.load(pageOf('<p id="a">1</p>'), {
              headers: { 'content-security-policy': policy },
            });
            const isKnown = await tab.ask('"trustedTypes" in window');
            const result = await tab.become(pageOf('<p id="a">2</p>'));
            assert.equal(result.reason, isKnown ? reason : undefined, policy);
            if (!result.reload) assert.equal(await tab.ask('a.textContent'), '2');
          }
        },
      );

      await t.test('what fails half-way has the page loaded', async () => {
        await tab.load(pageOf('<p id="a">1</p><p id="b">1</p>'));
        await tab.ask(`b.firstChild.replaceData = () => { throw new Error('no') }`);
        const result = await tab.become(pageOf('<p id="a">2</p><p id="b">2</p>'));
        assert.deepEqual([result.reload, result.reason], [true, 'failed']);
      });

      await t.test('a strict policy is kept: nothing is evaluated', async () => {
        const headers = { 'content-security-policy': "default-src 'none'; script-src 'self'" };
        await tab.load(pageOf('<ul id="l"><li>1</li></ul>'), { headers });
        await tab.ask(
          `addEventListener('securitypolicyviolation', () => { window.violated = true; })`,
        );
        assert.equal(
          (await tab.become(pageOf('<ul id="l" class="x"><li>2</li><li>3</li></ul>'))).reload,
          undefined,
        );
        assert.deepEqual(await tab.ask('[l.textContent, window.violated ?? false]'), ['23', false]);
      });
    },
  );
}

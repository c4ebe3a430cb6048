import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { BrowserName } from '../support/browsers.ts';
import { openBrowser, skipWithout } from '../support/browsers.ts';
import type { MorphPage } from './morph-page.ts';
import { openMorphPage, pageOf } from './morph-page.ts';
import type { Proxy as Backend } from './stats-page.ts';
import { statsPage } from './stats-page.ts';

/** Fields of every kind, whose values the server sets to `value`, around a figure. */
const form = (value: string, token: string) => `
  <form id="f"><p>${token}</p>
    <input type="hidden" name="token" value="${token}">
    <input name="text" value="${value}">
    <textarea name="area">${value}</textarea>
    <select name="one">${choices(value)}</select>
    <select name="many" multiple>${choices(value)}</select>
    <input type="checkbox" name="tick"${value === 'b' ? ' checked' : ''}>
    <input type="radio" name="way" value="a"${value === 'a' ? ' checked' : ''}>
    <input type="radio" name="way" value="b"${value === 'b' ? ' checked' : ''}>
    <input type="color" name="colour"><input type="range" name="range">
    <button name="send">${value}</button>
  </form>`;
const choices = (chosen: string) =>
  ['a', 'b', 'c'].map((one) => `<option${one === chosen ? ' selected' : ''}>${one}`).join('');

const values = `[...new FormData(f)].map(([name, value]) => name + '=' + value).join('&')`;
const submitted = (value: string, token: string) =>
  `token=${token}&text=${value}&area=${value}&one=${value}&many=${value}${
    value === 'b' ? '&tick=on' : ''
  }&way=${value}&colour=#000000&range=50`;

/** What a user may have begun, and what of it must be there after all values have changed. */
const EDITS: Readonly<Record<string, string>> = {
  'a typed text': `f.text.value = 'typed'`,
  'a typed text of several lines': `f.area.value = 'one\\ntwo'`,
  'a chosen option': 'f.one.selectedIndex = 2',
  'one more chosen option': 'f.many.options[2].selected = true',
  'a ticked box': 'f.tick.checked = !f.tick.checked',
  'another radio button': 'f.way[1].checked = true',
  'a colour': `f.colour.value = '#ff0000'`,
};

async function becomes(tab: MorphPage, html: string): Promise<void> {
  const result = await tab.become(html);
  assert.equal(result.reload, undefined, result.reason);
}

/** Where the caret is in the field that has the focus. */
const CARET = `[document.activeElement.name, document.activeElement.value,
  document.activeElement.selectionStart, document.activeElement.selectionEnd]`;

async function typesInto(tab: MorphPage, selector: string, text: string): Promise<void> {
  await tab.page.focus(selector);
  await tab.page.keyboard.type(text);
}

for (const name of ['chromium', 'firefox'] satisfies BrowserName[]) {
  const options = { skip: skipWithout(name), timeout: 600_000 };

  test(`${name}: what the user writes and chooses stays`, options, async (t: TestContext) => {
    const tab = await openMorphPage(t, await openBrowser(t, name), name);

    await t.test('fields that nobody has touched follow the server', async () => {
      await tab.load(pageOf(form('a', '1')));
      for (const [value, token] of [
        ['b', '2'],
        ['c', '3'],
        ['a', '4'],
      ] as const) {
        await becomes(tab, pageOf(form(value, token)));
        const expected = submitted(value, token).replace('way=c&', '');
        assert.equal(await tab.ask(values), expected);
      }
    });

    for (const [edit, act] of Object.entries(EDITS)) {
      await t.test(`${edit}: nothing that the form submits changes, all else does`, async () => {
        await tab.load(pageOf(form('a', '1')));
        await tab.ask(act);
        const before = await tab.ask(values);
        assert.notEqual(before, submitted('a', '1'));
        await becomes(tab, pageOf(form('b', '2')));
        assert.equal(await tab.ask(values), before);
        assert.equal(await tab.ask('f.querySelector("p").textContent + f.send.textContent'), '2b');
        // Once the user has taken it back the next page brings all of it.
        await tab.ask('f.reset()');
        await becomes(tab, pageOf(form('b', '3')));
        assert.equal(await tab.ask(values), submitted('b', '3'));
      });
    }

    await t.test('the caret stays where it is, in a field and in lines', async () => {
      const body = (value: string) =>
        `<p>${value}</p><div><label>${value}<input name="q" value="${value}"></label><i>${value}</i></div>
         <textarea name="lines">${value}</textarea>`;
      await tab.load(pageOf(body('one')));
      await typesInto(tab, 'input', 'abc');
      await tab.ask('document.activeElement.setSelectionRange(1, 2)');
      const before = await tab.ask(CARET);
      await becomes(tab, pageOf(`<h1>new</h1>${body('two')}`));
      assert.deepEqual(await tab.ask(CARET), before);
      await typesInto(tab, 'textarea', 'xyz');
      await tab.ask('document.activeElement.setSelectionRange(2, 2)');
      const later = await tab.ask(CARET);
      await becomes(tab, pageOf(`<h2>new</h2><h1>new</h1>${body('three')}`));
      assert.deepEqual(await tab.ask(CARET), later);
      assert.equal(await tab.ask('document.querySelector("label").textContent'), 'three');
    });

    await t.test(
      'a row with the focus keeps it while the rows around it change places',
      async () => {
        const row = (key: string) => `<tr><td>${key}</td><td><input name="${key}"></td></tr>`;
        const rows = (keys: string) => pageOf(`<table>${[...keys].map(row).join('')}</table>`);
        await tab.load(rows('abcde'));
        // As in browsers in which what moves loses the focus.
        await tab.ask('delete Element.prototype.moveBefore');
        await typesInto(tab, '[name=b]', 'mine');
        await tab.ask(`window.blurs = 0; addEventListener('blur', () => { blurs += 1; }, true)`);
        for (const keys of ['edcba', 'bxaed', 'adb']) {
          await becomes(tab, rows(keys));
          assert.deepEqual(await tab.ask(CARET), ['b', 'mine', 4, 4]);
          const shown =
            '[...document.querySelectorAll("td:first-child")].map((td) => td.textContent).join("")';
          assert.equal(await tab.ask(shown), keys);
        }
        assert.equal(await tab.ask('blurs'), 0);
      },
    );

    await t.test('a field outside of forms that has the focus waits with its value', async () => {
      const body = (value: string) =>
        pageOf(`<input name="q" value="${value}"><input name="r" value="${value}">`);
      await tab.load(body('one'));
      await tab.page.focus('input');
      await becomes(tab, body('two'));
      const both = '[...document.querySelectorAll("input")].map((input) => input.value).join()';
      assert.equal(await tab.ask(both), 'one,two');
      await tab.ask('document.activeElement.blur()');
      await becomes(tab, body('three'));
      assert.equal(await tab.ask(both), 'three,three');
    });

    await t.test(
      'what is written into the page itself stays, and what is around it changes',
      async () => {
        const body = (value: string) =>
          pageOf(
            `<p>${value}</p><div contenteditable><p>${value}</p></div><div contenteditable id="other"><p>${value}</p></div>`,
          );
        await tab.load(body('one'));
        await tab.page.click('[contenteditable]');
        await tab.page.keyboard.type('typed');
        const text = 'document.querySelector("[contenteditable]").textContent';
        const before = await tab.ask(text);
        await becomes(tab, body('two'));
        assert.equal(await tab.ask(text), before);
        assert.match(String(before), /typed/);
        assert.deepEqual(
          await tab.ask('[document.querySelector("p").textContent, other.textContent]'),
          ['two', 'two'],
        );
        await tab.ask('document.activeElement.blur()');
        await becomes(tab, body('three'));
        assert.equal(await tab.ask(text), before);
      },
    );

    await t.test('a list that is open keeps its options', async () => {
      const body = (...of: string[]) =>
        pageOf(`<p>${of.length}</p><select>${of.map((one) => `<option>${one}`).join('')}</select>`);
      await tab.load(body('a', 'b'));
      await tab.page.focus('select');
      await becomes(tab, body('a', 'b', 'c'));
      const shown =
        '[document.querySelector("p").textContent, document.querySelector("select").length]';
      assert.deepEqual(await tab.ask(shown), ['3', 2]);
      await tab.ask('document.activeElement.blur()');
      await becomes(tab, body('a', 'b', 'c', 'd'));
      assert.deepEqual(await tab.ask(shown), ['4', 4]);
    });

    await t.test(
      'a page of statistics runs on while its filter is typed and servers are ticked',
      async () => {
        const backends: Backend[] = [
          { name: 'web', servers: ['web1', 'web2', 'web3'] },
          { name: 'api', servers: ['api1', 'api2'] },
        ];
        await tab.load(statsPage(backends, 1));
        await typesInto(tab, 'input[name=scope]', 'ap');
        await tab.page.click('input[value=web2]');
        await tab.page.focus('input[name=scope]');
        for (const tick of [2, 3, 4]) {
          if (tick === 3) backends[0]?.servers.unshift('web0');
          await becomes(tab, statsPage(backends, tick));
          await tab.page.keyboard.type('i');
        }
        assert.deepEqual(await tab.ask(CARET), ['scope', 'apiii', 5, 5]);
        assert.equal(
          await tab.ask(
            '[...document.querySelectorAll(":checked")].filter((one) => one.type === "checkbox").map((one) => one.value).join()',
          ),
          'web2',
        );
        const cells =
          '[...document.querySelectorAll("table.tbl td")].map((td) => td.textContent).join("|")';
        const fresh = `(() => { const page = new DOMParser().parseFromString(${JSON.stringify(statsPage(backends, 4))}, 'text/html');
        return [...page.querySelectorAll("table.tbl td")].map((td) => td.textContent).join("|"); })()`;
        assert.equal(await tab.ask(cells), await tab.ask(fresh));
      },
    );
  });
}

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { BrowserName } from '../support/browsers.ts';
import { openBrowser, skipWithout } from '../support/browsers.ts';
import { until } from '../support/until.ts';
import type { MorphPage } from './morph-page.ts';
import { openMorphPage, pageOf } from './morph-page.ts';

/** A rule that needs no more than a page, something done in it, and its next state. */
interface Rule {
  readonly rule: string;
  /** The bodies, or whole pages. */
  readonly from: string;
  readonly to: string;
  /** What the user or the page's scripts do in between. */
  readonly act?: string;
  /** What is seen of the page in the end. */
  readonly see: string;
  readonly expected: unknown;
}

const row = (name: string, value: number | string) =>
  `<tr><td>${name}</td><td>${value}</td><td><input type="checkbox" value="${name}"></td></tr>`;
const table = (...rows: string[]) => `<table id="t"><tbody>\n${rows.join('\n')}\n</tbody></table>`;
const names =
  '[...t.rows].map((row) => row.cells[0].textContent + row.cells[1].textContent).join()';
const tall = (text: string) =>
  `<h1>${text}</h1>${'<p>line</p>'.repeat(300)}
   <div id="box" style="height:100px;overflow:auto">${'<p>line</p>'.repeat(99)}<b>${text}</b></div>`;

const RULES: readonly Rule[] = [
  {
    rule: 'a text that the server changed is changed, and the node stays',
    from: '<p id="p">one</p>',
    act: 'window.kept = p.firstChild',
    to: '<p id="p">two</p>',
    see: '[p.textContent, p.firstChild === kept]',
    expected: ['two', true],
  },
  {
    rule: 'what a script wrote stays where the server changed nothing',
    from: '<p id="a">1</p><p id="b" class="x" title="t">raw</p>',
    act: `b.textContent = 'cooked'; b.removeAttribute('title'); b.setAttribute('lang', 'de')`,
    to: '<p id="a">2</p><p id="b" class="x" title="t">raw</p>',
    see: '[a.textContent, b.textContent, b.title, b.lang]',
    expected: ['2', 'cooked', '', 'de'],
  },
  {
    rule: 'the server has the last word on a text that both changed',
    from: '<p id="a">1</p>',
    act: `a.firstChild.data = 'one'`,
    to: '<p id="a">2</p>',
    see: 'a.textContent',
    expected: '2',
  },
  {
    rule: 'a menu that a script opened by a class stays open while the server changes the class',
    from: '<ul id="m" class="menu calm"><li>1</li></ul>',
    act: `m.classList.add('open'); m.style.top = '5px'`,
    to: '<ul id="m" class="menu alarm"><li>2</li></ul>',
    see: '[m.className.split(" ").sort().join(" "), m.style.top, m.textContent]',
    expected: ['alarm menu open', '5px', '2'],
  },
  {
    rule: 'of a style that both changed the declarations of both hold',
    from: '<p id="bar" style="width: 10%; color: red">x</p>',
    act: `bar.style.display = 'none'`,
    to: '<p id="bar" style="width: 20%">x</p>',
    see: '[bar.style.width, bar.style.display, bar.style.color]',
    expected: ['20%', 'none', ''],
  },
  {
    rule: 'opened details stay open and closed ones closed',
    from: '<details id="d"><summary>s</summary>1</details><details id="e" open><summary>s</summary>1</details>',
    act: 'd.open = true; e.open = false',
    to: '<details id="d"><summary>s</summary>2</details><details id="e" open><summary>s</summary>2</details>',
    see: '[d.open, e.open, d.textContent, e.textContent]',
    expected: [true, false, 's2', 's2'],
  },
  {
    rule: 'window and boxes stay scrolled',
    from: tall('one'),
    act: 'window.scrollTo(0, 1500); box.scrollTop = 700',
    to: tall('two'),
    see: '[scrollY, box.scrollTop, document.querySelector("h1").textContent, box.lastChild.textContent]',
    expected: [1500, 700, 'two', 'two'],
  },
  {
    rule: 'selected text stays selected, beside changes and within a text that changes behind it',
    from: '<p id="a">1</p><p id="b">choose this, not 17</p>',
    act: 'getSelection().setBaseAndExtent(b.firstChild, 7, b.firstChild, 11)',
    to: '<p id="a">2</p><p id="b">choose this, not 18</p>',
    see: '[String(getSelection()), b.textContent]',
    expected: ['this', 'choose this, not 18'],
  },
  {
    rule: 'nodes that scripts added stay, in front, between and behind',
    from: '<ul id="l"><li>a</li><li>b</li></ul>',
    act: `for (const [text, before] of [['0', 0], ['1', 2], ['9', 4]]) {
        const li = document.createElement('li'); li.textContent = text;
        l.insertBefore(li, l.children[before] ?? null);
      }`,
    to: '<ul id="l"><li>A</li><li>b</li><li>c</li></ul>',
    see: '[...l.children].map((li) => li.textContent).join("")',
    expected: '0A1bc9',
  },
  {
    rule: 'what a script took away stays away',
    from: '<div><p id="gone">ad</p></div><p id="a">1</p>',
    act: 'gone.remove()',
    to: '<div><p id="gone">ad</p></div><p id="a">2</p>',
    see: '[document.getElementById("gone"), a.textContent]',
    expected: [null, '2'],
  },
  {
    rule: 'a table that a script wrapped and sorted is changed where it is',
    from: table(row('a', 1), row('b', 2), row('c', 3)),
    act: `const box = document.createElement('div'); box.className = 'wrapper';
      const inner = document.createElement('div'); inner.append('Search:'); box.append(inner);
      const table = t; table.replaceWith(box); inner.append(table);
      table.tBodies[0].append(...[...table.rows].reverse())`,
    to: table(row('a', 1), row('b', 5), row('c', 3), row('d', 4)),
    see: `[${names}, t.parentNode.parentNode.className]`,
    expected: ['c3,d4,b5,a1', 'wrapper'],
  },
  {
    rule: 'a row that comes first moves no tick to another row, though all figures change',
    from: table(row('a', 1), row('b', 2), row('c', 3)),
    act: 't.rows[1].cells[2].firstChild.checked = true; window.kept = t.rows[1]',
    to: table(row('new', 0), row('a', 2), row('b', 3), row('c', 4)),
    see: `[${names}, document.querySelector(':checked').value, t.rows[2] === kept]`,
    expected: ['new0,a2,b3,c4', 'b', true],
  },
  {
    rule: 'a row that goes takes only itself away',
    from: table(row('a', 1), row('b', 2), row('c', 3)),
    act: 't.rows[2].cells[2].firstChild.checked = true',
    to: table(row('b', 3), row('c', 4)),
    see: `[${names}, document.querySelector(':checked').value]`,
    expected: ['b3,c4', 'c'],
  },
  {
    rule: 'rows that change places keep what they are',
    from: table(row('a', 1), row('b', 2), row('c', 3), row('d', 4)),
    act: `[...t.rows].forEach((row) => { row.was = row.cells[0].textContent })`,
    to: table(row('d', 9), row('a', 8), row('c', 7), row('b', 6)),
    see: `[${names}, [...t.rows].map((row) => row.was).join('')]`,
    expected: ['d9,a8,c7,b6', 'dacb'],
  },
  {
    rule: 'cells stay in their columns, whichever figures they change',
    from: '<table id="t"><tr><th>a</th><td>1</td><td>2</td><td>3</td></tr></table>',
    act: '[...t.rows[0].cells].forEach((cell, index) => { cell.was = index })',
    to: '<table id="t"><tr><th>a</th><td>3</td><td>1</td><td>2</td></tr></table>',
    see: `[...t.rows[0].cells].map((cell) => cell.textContent + cell.was).join()`,
    expected: 'a0,31,12,23',
  },
  {
    rule: 'a list that is turned round moves',
    from: '<ol id="l"><li>1</li><li>2</li><li>3</li></ol>',
    act: 'window.kept = [...l.children]',
    to: '<ol id="l"><li>3</li><li>2</li><li>1</li></ol>',
    see: '[l.textContent, kept.map((li) => [...l.children].indexOf(li)).join()]',
    expected: ['321', '2,1,0'],
  },
  {
    rule: 'listeners and properties of what stays still work',
    from: '<p><button id="b" class="calm">1</button></p>',
    act: `window.clicks = 0; b.addEventListener('click', () => { clicks += 1; })`,
    to: '<p>new</p><p><button id="b" class="alarm">2</button></p>',
    see: '[b.click(), clicks, b.textContent]',
    expected: [null, 1, '2'],
  },
  {
    rule: 'title, attributes of html and body, and styles of the head follow',
    from: '<html lang="en"><head><title>one</title><style>p{color:rgb(1,1,1)}</style></head><body class="a"><p id="p">x</p></body></html>',
    act: `document.head.append(Object.assign(document.createElement('style'), { id: 'own' }))`,
    to: '<html lang="de"><head><title>two</title><style>p{color:rgb(2,2,2)}</style></head><body class="b"><p id="p">x</p></body></html>',
    see: '[document.title, document.documentElement.lang, document.body.className, getComputedStyle(p).color, !!document.getElementById("own")]',
    expected: ['two', 'de', 'b', 'rgb(2, 2, 2)', true],
  },
  {
    rule: 'a title that a script wrote stays while the server does not change its own',
    from: pageOf('<p id="a">1</p>', '<title>page</title>'),
    act: `document.title = '(3) page'`,
    to: pageOf('<p id="a">2</p>', '<title>page</title>'),
    see: '[document.title, a.textContent]',
    expected: ['(3) page', '2'],
  },
  {
    rule: 'the tags of the proxy are left alone, and no refresh by <meta> is brought in',
    from: pageOf(
      '<p id="a">1</p>',
      '<title>p</title><script src="/_comet/client.js" data-page="x"></script><noscript><meta http-equiv="refresh" content="5"></noscript>',
    ),
    to: pageOf(
      '<p id="a">2</p><div><META HTTP-EQUIV=Refresh CONTENT=7><p>new</p></div>',
      '<meta http-equiv="refresh" content="6"><title>p</title>',
    ),
    see: '[a.textContent, document.querySelectorAll("script,noscript").length, document.querySelectorAll("meta").length]',
    expected: ['2', 2, 0],
  },
  {
    rule: 'templates follow',
    from: '<template id="x"><p>1</p></template>',
    to: '<template id="x"><p>2</p></template>',
    see: 'x.content.textContent',
    expected: '2',
  },
  {
    rule: 'drawings follow, in their namespace',
    from: '<svg id="s"><circle r="1"/></svg>',
    to: '<svg id="s"><circle r="2"/><a xlink:href="#x"><rect/></a></svg>',
    see: `[s.firstChild.getAttribute('r'), s.lastChild.lastChild instanceof SVGRectElement, s.lastChild.href.baseVal]`,
    expected: ['2', true, '#x'],
  },
];

async function shows(tab: MorphPage, { from, to, act, see, expected }: Rule): Promise<void> {
  const whole = (html: string) => (html.includes('<html') ? html : pageOf(html));
  await tab.load(whole(from));
  if (act) await tab.ask(`(() => { ${act} })()`);
  const result = await tab.become(whole(to));
  assert.equal(result.reload, undefined, result.reason);
  assert.ok(result.changed > 0);
  assert.deepEqual(JSON.parse(String(await tab.ask(`JSON.stringify(${see})`))), expected);
}

/** Other states that follow one another, to which what was learned before must still apply. */
async function followsMany(tab: MorphPage): Promise<void> {
  const states = [
    [row('a', 1), row('b', 1)],
    [row('b', 2), row('a', 1), row('c', 1)],
    [row('c', 1), row('b', 2)],
    [row('a', 7), row('c', 2), row('d', 1), row('b', 2)],
    [],
    [row('z', 1)],
  ];
  await tab.load(pageOf(table(...(states[0] ?? []))));
  await tab.ask(`t.before(document.createElement('hr'))`);
  for (const rows of states.slice(1)) {
    assert.equal((await tab.become(pageOf(table(...rows)))).reload, undefined);
    const expected = String(
      await tab.ask(`(() => { const t = new DOMParser().parseFromString(
      ${JSON.stringify(table(...rows))}, 'text/html').querySelector('table'); return ${names}; })()`),
    );
    assert.equal(await tab.ask(names), expected);
  }
  assert.equal(await tab.ask(`document.querySelectorAll('hr').length`), 1);
}

for (const name of ['chromium', 'firefox'] satisfies BrowserName[]) {
  const options = { skip: skipWithout(name), timeout: 600_000 };

  test(`${name}: a page is changed in place`, options, async (t: TestContext) => {
    const tab = await openMorphPage(t, await openBrowser(t, name), name);
    for (const rule of RULES) await t.test(rule.rule, () => shows(tab, rule));

    await t.test('states follow one another', () => followsMany(tab));

    await t.test(
      'images, frames and videos that are the same are not asked for again',
      async () => {
        const media = (text: string, query: string) =>
          pageOf(`<p>${text}</p><div><img src="/same.png"><img src="/other.png?${query}"></div>
          <iframe src="/frame"></iframe><video src="/film"></video><p>${text}</p>`);
        const { site } = tab;
        const count = () => ['/same.png', '/frame', '/film'].map((path) => site.count(path));
        await tab.load(media('one', '1'));
        await until(() => count().every((times) => times) && site.count('/other.png') === 1);
        await tab.ask('window.kept = document.querySelector("iframe").contentWindow');
        const before = count();
        assert.equal((await tab.become(media('two', '2'))).reload, undefined);
        await until(() => site.count('/other.png') === 2);
        await tab.ask('fetch("/end").then(() => 1)');
        assert.deepEqual(count(), before);
        assert.equal(
          await tab.ask('document.querySelector("iframe").contentWindow === kept'),
          true,
        );
      },
    );

    await t.test('the same page again changes nothing', async () => {
      await tab.load(pageOf('<p>1</p>'));
      assert.deepEqual(await tab.become(pageOf('<p>1</p>')), { changed: 0 });
    });

    await t.test('XHTML is read as XHTML', async () => {
      const xhtml = (text: string) =>
        `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>${text}</title></head><body><p id="p">${text}<br/>&lt;</p><div/><p>after</p></body></html>`;
      await tab.load(xhtml('one'), { contentType: 'application/xhtml+xml' });
      assert.equal((await tab.become(xhtml('two'))).reload, undefined);
      assert.deepEqual(await tab.ask('[document.title, document.querySelector("p").textContent]'), [
        'two',
        'two<',
      ]);
      assert.equal((await tab.become(xhtml('</p>'))).reason, 'unparsable');
    });
  });
}

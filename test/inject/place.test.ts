import assert from 'node:assert/strict';
import { test } from 'node:test';
import { edited } from './edited-page.ts';

/** `|` is where the tags go; a page without it gets none. */
const PLACES: readonly string[] = [
  '<!DOCTYPE html><html><head>|<title>x</title></head><body></body></html>',
  '<!doctype html>\n<html lang="en">\n<head data-a=">">|\n<script>first()</script>',
  "<HTML><HEAD profile='<head>'>|<TITLE>x</TITLE>",
  '<head\n>|',
  '<head/>|<title>x</title>',
  '<head >|',
  '<html>\n  |<body>x',
  '<html>|<script>a()</script><head>',
  '|<title>x</title><script>a()</script>',
  '|<body bgcolor="#ffffff">x',
  '|<header>x</header><head>',
  '<html>|<headline>x',
  '|<frameset cols="1,2"><frame src="a"></frameset>',
  '<html><head>|</head><frameset cols="1"><frame src="a"></frameset></html>',
  '<!-- <head> --><html><!-- <html><head> --><head>|',
  '<!-- a --><!---><!----><!-- b --!><head>|',
  '<!--[if lt IE 9]><html class="old"><head><![endif]--><!--[if gt IE 8]><!--><html><!--<![endif]--><head>|',
  '<![if !IE]><head>|',
  '<?xml version="1.0" encoding="iso-8859-1"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "x">\n<html xmlns="y"><head>|',
  '<?php echo "oops" ?><html><head>|',
  '|</p></div><head>',
  '|</p title="><head>"><head>',
  '<html>|</html>',
  '|</head><head>',
  '|</body>',
  '<html>|</title><p>',
  '|<textarea><head></textarea>',
  '|<title><head></title><head>',
  '|<script>var s = "<head>"</script><head>',
  '|<p title="<head>">x</p><head>',
  '|<br />\n<b>Notice</b>: Undefined index<!DOCTYPE html><html><head><title>x</title>',
  '|Warning: x in y<!DOCTYPE html><html><head>',
  '|text <b>x</b>',
  '\xef\xbb\xbf<!DOCTYPE html><html><head>|',
  '\xef\xbb\xbf|<p>x',
  '<html>|\x0b<head>',
  // Nothing that is a tag.
  'OK',
  '{"ok":true}',
  '1 < 2 > 0',
  '',
  ' \n',
  '<!-- <p> -->',
  '<!DOCTYPE html>',
  '<html>',
  '<html><head title="x',
  '<head',
  '<title',
  '<!doctype html><text',
  // Nobody reads it as we do, or nobody can.
  '<![CDATA[ <head> ]]><head>',
  '\xff\xfe<p>x',
  '\xfe\xff<p>x',
  '\xff\xfe<\0h\0t\0m\0l\0>\0',
  '\xfe\xff\0<\0h\0t\0m\0l\0>',
];

for (const page of PLACES) {
  test(`the script comes first: ${JSON.stringify(page)}`, () => {
    const source = page.replace('|', '');
    assert.equal(edited(source), page);
    for (let cut = 1; cut < source.length; cut++) {
      assert.equal(edited(source, {}, [cut]), page, `cut at ${cut}`);
    }
    const everywhere = Array.from({ length: source.length }, (_, i) => i);
    assert.equal(edited(source, {}, everywhere), page);
  });
}

/** What may be a part of a page, when only `Accept` says that somebody navigates. */
const PARTS: readonly string[] = [
  '<!doctype html>|<p>x',
  '<html>|<p>x',
  '|<title>x</title><p>',
  '|<meta name="a"><p>',
  '|<body>',
  '|<frameset>',
  '|<div>x</div><html><head>',
  '|<p>x</p><!doctype html>',
  '|x<head>',
  '<div>x</div>',
  '<table><tr><td>x</td></tr></table>',
  '<script>a()</script>',
  '<link rel="stylesheet" href="a.css"><div>x</div>',
  '<svg><title>x</title></svg>',
  '<script>"<html>"</script><!-- <html> -->',
  'text <b>x</b>',
];

for (const page of PARTS) {
  test(`what may be a part of a page has to show that it is one: ${JSON.stringify(page)}`, () => {
    const source = page.replace('|', '');
    assert.equal(edited(source, { becomes: 'unknown' }), page);
    for (let cut = 1; cut < source.length; cut++) {
      assert.equal(edited(source, { becomes: 'unknown' }, [cut]), page, `cut at ${cut}`);
    }
  });
}

/** XHTML, which is read as XML. */
const XHTML: readonly string[] = [
  '<?xml version="1.0"?><!DOCTYPE html><html xmlns="x"><head>|<title>x</title>',
  '<html xmlns="x"><head/>|<body/></html>',
  '<html xmlns="x">\n|<body/></html>',
  '<html xmlns="x"><!-- <head> --><?pi <head>?><head>|',
  '<html>|<h:head>',
  '<HTML><HEAD>',
  '<h:html xmlns:h="x"><h:head>',
  '<svg><head>',
  '<head>',
  '<!DOCTYPE html [ <!ENTITY a "<html><head>"> ]><html><head>',
  '<!DOCTYPE html [<!ENTITY a "x"><!ENTITY b \'<b><html><head>\'>]><html><head>',
  '<html/><head>',
  'x<html><head>',
];

for (const page of XHTML) {
  test(`in XHTML nothing is implied but the head: ${JSON.stringify(page)}`, () => {
    const source = page.replace('|', '');
    assert.equal(edited(source, { isXml: true }), page);
    for (let cut = 1; cut < source.length; cut++) {
      assert.equal(edited(source, { isXml: true }, [cut]), page, `cut at ${cut}`);
    }
  });
}

test('what is known to become a document has a place, whatever it is', () => {
  for (const page of ['|OK', '|{"ok":true}', '|', ' <!-- a -->|', '<html>|', '<head>|', '|<p>x']) {
    assert.equal(edited(page.replace('|', ''), { becomes: 'document' }), page);
  }
});

import assert from 'node:assert/strict';
import { pageText } from '../../../src/tools/pageText.ts';

const text = (html: string): string => pageText(html, 'https://docs.example/a/b');

describe('the text of a page', () => {
  it('has headings, paragraphs, lists, tables and code as one reads them', () => {
    assert.equal(
      text(
        '<h2>Title</h2>\n<p>One\n  <b>two</b>&nbsp;three<br>four<table><tr><td>a<td>b<tr><td>c</table><pre>x\n  y &lt; z</pre>',
      ),
      '## Title\n\nOne two three\nfour\n\na b\nc\n\nx\n  y < z',
    );
  });

  it('says where links lead, and leaves out those that lead nowhere on the web', () => {
    assert.equal(
      text('<a href="c">C</a>, <a href=#d>D</a>, <a href="javascript:x()">E</a>'),
      'C (https://docs.example/a/c), D, E',
    );
  });

  it('has no script, style, comment or markup, whatever their quotes and ends', () => {
    assert.equal(
      text('a<script>if (1 < 2) "</p>"</SCRIPT >b<style>x</style>c<!-- <p>no --d> -->d<svg><text>x</text></svg>e'),
      'abcde',
    );
    assert.equal(text('a<p title="x > y">b'), 'a\nb');
    assert.equal(text('1 < 2 & 3 <3'), '1 < 2 & 3 <3');
    assert.equal(text('&#x41;&#66;&amp;amp;&constructor;&#xD800;&#99999999;'), 'AB&amp;&constructor;\ufffd&#99999999;');
  });

  const hostile: Readonly<Record<string, string>> = {
    'comments without an end': '<!--'.repeat(300_000),
    'scripts without an end': '<script>'.repeat(200_000),
    'tags without an end': '<a href="'.repeat(200_000),
    'a deep nest': '<div>'.repeat(300_000) + '</div>'.repeat(300_000),
    blanks: `<a ${' '.repeat(1_500_000)}href${' '.repeat(1_500_000)}>x`,
    'ends without a beginning': '</pre></a>'.repeat(200_000),
    'signs that want to be more': '&#x'.repeat(700_000),
    angles: '<'.repeat(2_000_000),
  };
  for (const [what, html] of Object.entries(hostile)) {
    it(`is there soon, with ${what}`, () => {
      const begun = performance.now();
      text(html);
      // Well under a second, also on a machine that is ten times as busy; what is not done in one pass takes minutes.
      assert.ok(performance.now() - begun < 20_000, `${performance.now() - begun} ms`);
    });
  }
});

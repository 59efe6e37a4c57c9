import test from 'ava';
import { mostNotesLength } from '../../../src/api/release.ts';
import { htmlOfMarkdown } from '../../../src/server/http/dashboard/markdown.ts';

test('renders the Markdown that release notes use', (t) => {
  const text = '# News\n\nOpens **faster**, see [issue](https://example.com/a?b=1&c=2).\n\n* one\n* `two`\n';
  t.is(
    htmlOfMarkdown(text),
    '<h3>News</h3>\n<p>Opens <strong>faster</strong>, see <a href="https://example.com/a?b=1&amp;c=2" rel="noopener noreferrer nofollow">issue</a>.</p>\n<ul>\n<li>one</li>\n<li><code>two</code></li>\n</ul>\n',
  );
});

const hostile = [
  '<script>alert(1)</script>',
  'a <img src=x onerror=alert(1)> b',
  '<div>\n\n**x** <svg onload=alert(1)>\n\n</div>',
  '[x](javascript:alert(1))',
  '[x](JaVaScRiPt:alert(1))',
  '[x](data:text/html,<script>alert(1)</script>)',
  '[x](https://a.example/"onmouseover="alert(1))',
  '[x](<https://a.example/" onmouseover="alert(1)>)',
  '![x" onerror="alert(1)](https://a.example/x.png)',
  '<javascript:alert(1)>',
  '[x]: javascript:alert(1)\n\n[x]',
  '```"><script>alert(1)</script>\n</code><script>alert(1)</script>\n```',
  '`<script>alert(1)</script>`',
  '| <script>alert(1)</script> |\n| --- |\n| <img src=x onerror=alert(1)> |',
  '- [x] <b onclick=alert(1)>done</b>',
  '# <a name="x" onclick="alert(1)">h</a>',
  '[a](/logout)',
  '<code><img src=x onerror=alert(1) //',
  '<pre>\n<kbd> <a href="/logout" x="\n',
];

for (const [index, text] of hostile.entries()) {
  test(`shows hostile notes as text (${index + 1}: ${JSON.stringify(text).slice(1, 30)})`, (t) => {
    const html = htmlOfMarkdown(text);
    // A browser completes a tag without an end.
    const tags = [...html.matchAll(/<\/?[a-z0-9]+[^<>]*>?/gi)].map(([tag]) => tag);
    const harmless =
      /^<\/?(p|h[1-6]|strong|em|del|ul|ol|li|code|br|hr|blockquote|pre|a)( tabindex="0")?>$|^<a href="https?:[^"<>]*" rel="noopener noreferrer nofollow">$/;
    t.deepEqual(
      tags.filter((tag) => !harmless.test(tag)),
      [],
      html,
    );
  });
}

test('renders the longest notes without a delay that grows with the square of their length', (t) => {
  for (const piece of ['[', '*a **', '`', '<a', '![[', '> ', '- ', '| a ', '&#', '\\', '_a __']) {
    const half = htmlOfMarkdown(piece.repeat(Math.floor(2048 / piece.length)));
    t.true(half.length < 300_000, piece);
  }
});

test('shows notes with thousands of nested quotes or lists as text', (t) => {
  for (const piece of ['>', '1. ', '> - ']) {
    const text = piece.repeat(mostNotesLength / piece.length);
    t.is(htmlOfMarkdown(text), `<pre tabindex="0">${text.replaceAll('>', '&gt;')}</pre>\n`);
  }
});

test('renders emphasis in paragraphs of up to 1,000 characters, because a search for its end is quadratic', (t) => {
  const paragraph = (length: number) => `${'a '.repeat((length - 6) / 2)}*word*`;
  t.true(htmlOfMarkdown(paragraph(1000)).endsWith('<em>word</em></p>\n'));
  t.true(htmlOfMarkdown(`${paragraph(1002)}\n\n- *f*`).endsWith('*word*</p>\n<ul>\n<li><em>f</em></li>\n</ul>\n'));
});

import { Marked } from 'marked';

/** Depth of the first heading in notes, so that headings in notes follow the headings of the page. */
const firstHeading = 3;

/** Maximum length of a paragraph with emphasis: the time for finding its end grows with the square of the length. */
const longestEmphasized = 1000;

/** Renders Markdown without any HTML of its author: HTML is shown as text, images as their description, and only http(s) links are links. */
const marked = new Marked({
  gfm: true,
  tokenizer: {
    // HTML is no syntax here: after a tag such as <code>, marked would leave all text unescaped.
    html: () => undefined,
    tag: () => undefined,
    emStrong: (_, { length }) => (length > longestEmphasized ? undefined : false),
    del: (_, { length }) => (length > longestEmphasized ? undefined : false),
  },
  renderer: {
    image: ({ text }) => escapedHtml(text),
    heading({ tokens, depth }) {
      const level = Math.min(6, depth + firstHeading - 1);
      return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>\n`;
    },
    link({ href, tokens }) {
      const text = this.parser.parseInline(tokens);
      if (!isWebUrl(href)) return text;
      return `<a href="${escapedHtml(new URL(href).href)}" rel="noopener noreferrer nofollow">${text}</a>`;
    },
    // A check box without a label would be a barrier, and a reader of the notes cannot change it.
    checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
    code: ({ text }) => `<pre tabindex="0"><code>${escapedHtml(text)}</code></pre>\n`,
    table: ({ raw }) => `<pre tabindex="0">${escapedHtml(raw.trimEnd())}</pre>\n`,
    listitem(item) {
      return `<li>${this.parser.parse(item.tokens)}</li>\n`;
    },
  },
});

/** Returns HTML that is safe to insert into a page. */
export function htmlOfMarkdown(markdown: string): string {
  try {
    return marked.parse(markdown, { async: false });
  } catch (error) {
    // Each level of nested lists and quotes is a recursion.
    if (error instanceof RangeError) return `<pre tabindex="0">${escapedHtml(markdown)}</pre>\n`;
    throw error;
  }
}

function isWebUrl(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text);
}

function escapedHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

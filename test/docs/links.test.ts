import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import test from 'ava';
import { type Page, pages, readPage, repository } from './pages.ts';

interface Link {
  readonly target: string;
  readonly anchor: string | undefined;
}

/** Links and pictures of a page, but for those to other places on the network. */
function linksOf({ prose }: Page): readonly Link[] {
  const targets = [...prose.replaceAll(/`[^`\n]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets
    .filter((target) => !/^https:\/\/[\w.-]+\.\w+\//.test(target))
    .map((target) => {
      const [path = '', anchor] = target.split('#');
      return { target: path, anchor };
    });
}

/** What GitHub makes of headings: lower case, without punctuation, hyphens for spaces, and a number for one that comes again. */
function anchorsOf({ prose }: Page): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const slugs = [...prose.matchAll(/^#{1,6} +(.*)$/gm)].map(([, heading = '']) => {
    const slug = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
  return new Set(slugs);
}

test('there are pages, with links and anchors between them', (t) => {
  const links = pages.flatMap(linksOf);
  t.true(pages.length > 10);
  t.true(links.length > 50);
  t.true(links.some(({ anchor }) => anchor !== undefined));
});

for (const page of pages) {
  test(`each link of ${page.path} leads somewhere`, (t) => {
    t.deepEqual(
      linksOf(page).flatMap((link) => problemOf(page, link) ?? []),
      [],
    );
  });
}

function problemOf(page: Page, { target, anchor }: Link): string | undefined {
  const path = target === '' ? page.path : posix.join(posix.dirname(page.path), target);
  if (!existsSync(`${repository}${path}`)) return `${target} is not there`;
  if (anchor === undefined || anchorsOf(readPage(path)).has(anchor)) return undefined;
  return `${path} has no heading #${anchor}`;
}

test('each page of docs can be reached from the README', (t) => {
  const reached = new Set(['README.md']);
  // A set goes on with what is added to it meanwhile.
  for (const path of reached) {
    for (const { target } of linksOf(readPage(path))) {
      const next = posix.join(posix.dirname(path), target);
      if (next.endsWith('.md')) reached.add(next);
    }
  }
  t.deepEqual(
    pages.map(({ path }) => path).filter((path) => path.startsWith('docs/') && !reached.has(path)),
    [],
  );
});

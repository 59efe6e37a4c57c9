import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import test from 'ava';
import { type Page, pages, readPage, repository } from './pages.ts';

interface Link {
  readonly target: string;
  readonly anchor: string | undefined;
}

/** Links and images on a page, except external ones. */
function linksOf({ prose }: Page): readonly Link[] {
  const targets = [...prose.replaceAll(/`[^`\n]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets
    .filter((target) => !/^https:\/\/[\w.-]+\.\w+\//.test(target))
    .map((target) => {
      const [path = '', anchor] = target.split('#');
      return { target: path, anchor };
    });
}

/** Anchors that GitHub generates from headings: lowercase, no punctuation, hyphens for spaces, a number for repeated headings. */
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

test('the pages contain links and anchors', (t) => {
  const links = pages.flatMap(linksOf);
  t.true(pages.length > 10);
  t.true(links.length > 50);
  t.true(links.some(({ anchor }) => anchor !== undefined));
});

for (const page of pages) {
  test(`every link in ${page.path} points to an existing file and anchor`, (t) => {
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

test('every page in docs is reachable through links from the README', (t) => {
  const reached = new Set(['README.md']);
  // Iterating over a set includes entries added during the iteration.
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

test('no page contains merge conflict markers', (t) => {
  for (const page of pages) t.notRegex(page.prose, /^(<{7}|={7}|>{7})( |$)/m, page.path);
});

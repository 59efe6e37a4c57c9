import type { Page } from 'playwright-core';

/** Returns the MACs, versions and times of a page that wrap, and the width of the page. Script for the browser. */
const wrapsScript = `(() => {
  const pattern = /(?:[0-9A-F]{2}:){5}[0-9A-F]{2}|1\\.[45]\\.\\d-rc\\.\\d+\\+[0-9a-f.]+|\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d(?::\\d\\d)? UTC/g;
  const wraps = [];
  let measured = 0;
  const measure = (node, start, end) => {
    const range = document.createRange();
    range.setStart(node, start);
    range.setEnd(node, end);
    const lines = new Set([...range.getClientRects()].filter(({ width }) => width > 0).map(({ top }) => Math.round(top)));
    if (lines.size > 0) measured++;
    if (lines.size > 1) wraps.push(range.toString());
  };
  for (const each of document.querySelectorAll('.mac, .version, time')) measure(each, 0, each.childNodes.length);
  const texts = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode;
    if (node.parentElement.closest('svg, code, option') !== null) continue;
    for (const { index, 0: text } of node.data.matchAll(pattern)) measure(node, index, index + text.length);
  }
  return { wraps, measured, width: document.documentElement.scrollWidth };
})()`;

/** Returns what a finger can tap that is smaller than 44 px, except links within a sentence. Script for the browser. */
const smallTargetsScript = `[...document.querySelectorAll('a, button, input:not([type="hidden"]), select, summary')]
  .filter((each) => each.checkVisibility({ visibilityProperty: true }) && !each.matches('.skip'))
  .map((each) => {
    const boxes = [each, ...(each.type === 'checkbox' ? each.labels : [])].map((part) => part.getBoundingClientRect());
    const [width, height] = ['width', 'height'].map((side) => Math.max(...boxes.map((box) => box[side])));
    const isInText = getComputedStyle(each).display === 'inline' && each.parentElement.textContent.trim() !== each.textContent.trim();
    return { name: each.outerHTML.slice(0, 120), width, height, isInText };
  })
  .filter(({ width, height, isInText }) => !isInText && (width < 43.5 || height < 43.5))
  .map(({ name, width, height }) => Math.round(width) + 'x' + Math.round(height) + ': ' + name)`;

export interface Layout {
  /** MACs, versions and times that need several lines. */
  readonly wraps: readonly string[];
  /** Number of MACs, versions and times. */
  readonly measured: number;
  /** Width of the page in pixels. */
  readonly width: number;
}

export function layoutOf(page: Page): Promise<Layout> {
  return page.evaluate<Layout>(wrapsScript);
}

/** Returns the targets that are too small for a finger. */
export function smallTargets(page: Page): Promise<readonly string[]> {
  return page.evaluate<readonly string[]>(smallTargetsScript);
}

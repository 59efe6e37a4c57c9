import test from 'ava';
import fc from 'fast-check';
import { isNestedDeeper } from '../../src/files/json-depth.ts';

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

test('counts the nesting levels of any JSON text', (t) => {
  const property = fc.property(fc.json({ maxDepth: 6 }), (text) => {
    const levels = depthOf(JSON.parse(text));
    return !isNestedDeeper(text, levels) && (levels === 0 || isNestedDeeper(text, levels - 1));
  });
  t.notThrows(() => fc.assert(property, { seed: 1, numRuns: 500 }));
});

test('does not count brackets in strings, even after escaped quotes', (t) => {
  t.false(isNestedDeeper(String.raw`["[[[\"[[[\\", "{{{"]`, 1));
  t.true(isNestedDeeper(String.raw`["\\", [1]]`, 1));
});

test('handles many megabytes of text that is not JSON', (t) => {
  t.false(isNestedDeeper(`"${'\\"['.repeat(3_000_000)}`, 1));
  t.true(isNestedDeeper('['.repeat(1_000_000), 999_999));
});

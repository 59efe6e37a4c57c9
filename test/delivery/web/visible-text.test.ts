import test from 'ava';
import { visibleText } from '../../../src/delivery/web/visible-text.ts';

test('removes tags and keeps text that only resembles a tag', (t) => {
  t.is(visibleText('<h1>Not <b class="x">found</b></h1>'), ' Not  found  ');
  t.is(visibleText('1 < 2 <br>'), '1 < 2  ');
});

test('removes tags in linear time', (t) => {
  // In quadratic time, this would take days, and the test would exceed AVA's time limit.
  const brackets = '<'.repeat(8 * 1024 ** 2);
  t.true(visibleText(brackets) === brackets);
});

import test from 'ava';
import { Lru } from '../../src/server/lru.ts';

const keysOf = (lru: Lru<number>, keys: string) => [...keys].filter((key) => lru.get(key) !== undefined).join('');

test('evicts the least recently used entry first', (t) => {
  const lru = new Lru<number>(3);
  for (const [index, key] of [...'abc'].entries()) lru.set(key, index);
  t.is(lru.get('a'), 0);
  lru.set('d', 3);
  t.is(keysOf(lru, 'abcd'), 'acd', 'b it was');
  t.is(lru.get('d'), 3);
  t.is(lru.get('d'), 3);
  lru.set('a', 4);
  lru.set('e', 5);
  t.is(keysOf(lru, 'abcde'), 'ade', 'the new value made a the younger of two');
});

test('removes deleted and cleared entries, including the most recently used one', (t) => {
  const lru = new Lru<number>(2);
  lru.set('a', 1);
  lru.delete('a');
  t.is(lru.get('a'), undefined);
  lru.set('b', 2);
  lru.set('a', 3);
  t.is(keysOf(lru, 'ab'), 'ab');
  lru.clear();
  t.is(keysOf(lru, 'ab'), '');
});

import test from 'ava';
import fc from 'fast-check';
import { addBlock, removeBlock } from '../../../src/project/build/marked-block.ts';

const lines = ['recipe.a=1', 'recipe.b=2'];

test('addBlock appends the block between its markers', (t) => {
  const text = addBlock('their.line=1\n', lines);

  t.regex(text, /^their\.line=1\n# >>> ota-hooks.*\nrecipe\.a=1\nrecipe\.b=2\n# <<< ota-hooks\n$/);
});

test('removeBlock restores any original text', (t) => {
  const piece = fc.constantFrom('a=1', '# note', '', '\n', '\r\n', ' ', 'ü');
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(text, (before) => {
      t.deepEqual(removeBlock(addBlock(before, lines)), { state: 'removed', text: before });
    }),
  );
});

test('removeBlock keeps lines added after the block', (t) => {
  const text = `${addBlock('unfinished', lines)}added.later=1\n`;

  t.deepEqual(removeBlock(text), { state: 'removed', text: 'unfinished\nadded.later=1\n' });
});

test('addBlock uses the line endings of the text', (t) => {
  const text = addBlock('their.line=1\r\n', lines);

  t.notRegex(text, /[^\r]\n/);
  t.deepEqual(removeBlock(text), { state: 'removed', text: 'their.line=1\r\n' });
});

test('removeBlock reports a missing block as absent', (t) => {
  t.deepEqual(removeBlock('their.line=1\n'), { state: 'absent' });
  t.deepEqual(removeBlock(''), { state: 'absent' });
});

test('removeBlock reports a block with a missing or repeated marker as damaged', (t) => {
  const whole = addBlock('their.line=1\n', lines).split('\n');

  t.deepEqual(removeBlock(whole.slice(0, 3).join('\n')), { state: 'damaged', line: 2 });
  t.deepEqual(removeBlock(whole.slice(2).join('\n')), { state: 'damaged', line: 3 });
  t.deepEqual(removeBlock([...whole.slice(0, 3), ...whole].join('\n')), { state: 'damaged', line: 2 });
});

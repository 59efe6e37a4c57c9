import test from 'ava';
import fc from 'fast-check';
import { type FinalReply, ReplyReader } from '../../../src/delivery/espota/reply.ts';

/** Feeds the pieces to a reader one by one. */
function read(...pieces: readonly string[]): ReplyReader {
  const reader = new ReplyReader();
  for (const piece of pieces) reader.feed(Buffer.from(piece, 'latin1'), 1_000_000);
  return reader;
}

const cases: [title: string, pieces: string[], words: FinalReply][] = [
  ['reads no final reply from acknowledgments alone', ['1460', '1460'], { kind: 'none' }],
  ['reads OK in a separate piece after the last acknowledgment', ['1460', 'OK'], { kind: 'ok' }],
  ['reads OK directly after the last acknowledgment', ['1460OK'], { kind: 'ok' }],
  ['reads OK split into two pieces', ['1460O', 'K'], { kind: 'ok' }],
  ['rejects OK before the first acknowledgment', ['OK'], { kind: 'foreign', text: 'OK' }],
  ['waits for the rest of an incomplete OK', ['1460O'], { kind: 'begun' }],
  [
    'reads an error that contains an O directly after the last acknowledgment',
    ['800ERROR[10]: Magic byte is not 0xE9\n'],
    { kind: 'error', text: 'ERROR[10]: Magic byte is not 0xE9\n', complete: true },
  ],
  [
    'reads an incomplete error',
    ['800ERROR[7]: MD5 verif'],
    { kind: 'error', text: 'ERROR[7]: MD5 verif', complete: false },
  ],
  ['recognizes the beginning of an error', ['800ER'], { kind: 'begun' }],
  [
    'reports an error directly after OK as an error',
    ['OKERROR[1]: x\n'],
    { kind: 'error', text: 'ERROR[1]: x\n', complete: true },
  ],
  ['reports unrecognized text', ['1460KO'], { kind: 'foreign', text: 'KO' }],
  ['includes digits after unrecognized text in the text', ['O1460'], { kind: 'foreign', text: 'O1460' }],
];
for (const [title, pieces, words] of cases) {
  test(title, (t) => {
    t.deepEqual(read(...pieces).finalReply, words);
  });
}

test('reads the same final reply however the stream is split', (t) => {
  const endings = fc.constantFrom('OK', 'ERROR[10]: Magic byte is not 0xE9\n', 'ERROR[4]: Not Enough Space\r\n', '');
  const acknowledgments = fc.array(fc.integer({ min: 1, max: 11_584 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(acknowledgments, endings, fc.array(fc.nat(120)), (numbers, ending, cuts) => {
      const text = numbers.join('') + ending;
      const places = [...new Set([0, ...cuts.filter((cut) => cut < text.length), text.length])].sort((a, b) => a - b);
      const pieces = places.slice(1).map((end, index) => text.slice(places[index], end));
      t.deepEqual(read(...pieces).finalReply, read(text).finalReply);
    }),
  );
});

test('reports acknowledged bytes that never decrease and never exceed the sent bytes', (t) => {
  const pieces = fc.array(fc.tuple(fc.stringMatching(/^[0-9]{0,12}$/), fc.nat(20_000)));
  fc.assert(
    fc.property(pieces, (steps) => {
      const reader = new ReplyReader();
      let sentBytes = 0;
      let before = 0;
      for (const [digits, more] of steps) {
        sentBytes += more;
        reader.feed(Buffer.from(digits), sentBytes);
        t.true(reader.acknowledgedBytes >= before && reader.acknowledgedBytes <= sentBytes);
        before = reader.acknowledgedBytes;
      }
    }),
  );
});

test('stores at most 4096 characters of an endless reply', (t) => {
  const reader = read(...Array.from({ length: 1000 }, () => 'x'.repeat(1000)));
  const words = reader.finalReply;
  t.true(words.kind === 'foreign' && words.text.length <= 4096);
});

import test from 'ava';
import fc from 'fast-check';
import { findJsonError } from '../../../src/project/config/json-error.ts';
import { propertyRuns } from '../../support/property-runs.ts';

const brokenTexts: readonly (readonly [string, string, number, number])[] = [
  ['an extra comma', '{\n  "a": 1,\n}', 3, 1],
  ['a missing comma', '{\n  "a": 1\n  "b": 2\n}', 3, 3],
  ['an unquoted word', '{"a": yes}', 1, 7],
  ['an unterminated string', '{"a": "never', 1, 7],
  ['a comment', '{ // why not', 1, 3],
  ['the end of a truncated text', '{"a": [1, 2', 1, 12],
  ['extra text after the value', '{}\n\n{}', 3, 1],
  ['a mismatched bracket', '[1}', 1, 3],
  ['the missing value in an empty file', '', 1, 1],
];

for (const [what, json, line, column] of brokenTexts) {
  test(`findJsonError locates ${what}`, (t) => {
    t.deepEqual(findJsonError(json), { line, column });
  });
}

test('findJsonError returns undefined for too many open brackets', (t) => {
  t.is(findJsonError('['.repeat(100_000)), undefined);
});

test('findJsonError returns undefined for valid JSON in any layout', (t) => {
  fc.assert(
    fc.property(fc.json({ stringUnit: 'binary' }), fc.nat(8), (json, indent) => {
      return (
        findJsonError(json) === undefined && findJsonError(JSON.stringify(JSON.parse(json), null, indent)) === undefined
      );
    }),
  );
  t.pass();
});

test('findJsonError finds an error if and only if JSON.parse fails', (t) => {
  const scraps = [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"\\u00e4"',
    '"\\x"',
    '1',
    '-',
    '0.5e+3',
    '01',
    'true',
    'nul',
    ' ',
    '\n',
    '\u0000',
  ];
  const text = fc.array(fc.constantFrom(...scraps), { maxLength: 8 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(
      fc.oneof(text, fc.string({ unit: 'binary' })),
      (json) => (findJsonError(json) === undefined) === isJson(json),
    ),
    propertyRuns(400, 50_000),
  );
  t.pass();
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

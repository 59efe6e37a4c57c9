import test from 'ava';
import fc from 'fast-check';
import { deviceText, errorCode } from '../../src/delivery/device-text.ts';

test('reduces device text to one short line without control characters', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (text) => {
      t.regex(deviceText(text, []), /^[\x20-\x7e]{0,200}$/);
    }),
  );
  t.is(deviceText('\u001b[2Jgone\r\n', []), '[2Jgone');
});

test('masks a secret in device text, even where the text is truncated', (t) => {
  t.is(deviceText('wrong: hunter2!', ['hunter2']), 'wrong: ***!');
  t.notRegex(deviceText(`${'x'.repeat(197)}hunter2`, ['hunter2']), /hun/);
  t.is(deviceText('nothing', ['']), 'nothing');
});

test('reads the error number from an Updater error', (t) => {
  t.is(errorCode('ERROR[12]: Signature verification failed'), 12);
  t.is(errorCode('something else'), undefined);
});

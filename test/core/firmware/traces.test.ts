import test from 'ava';
import { findTraces } from '../../../src/core/firmware/traces.ts';

const nothing = { sdkVersions: [], updater: false, arduinoOta: false, httpUpdate: false, webUpdater: false };

test('recognizes each library by its marker string', (t) => {
  const content = (text: string) =>
    Buffer.concat([Buffer.alloc(999, 1), Buffer.from(`${text}\0`), Buffer.alloc(999, 2)]);
  t.deepEqual(findTraces(content('Not Enough Space')), { ...nothing, updater: true });
  t.deepEqual(findTraces(content('AUTH %s')), { ...nothing, arduinoOta: true });
  t.deepEqual(findTraces(content('ESP8266-http-Update')), { ...nothing, httpUpdate: true });
  t.deepEqual(findTraces(content('Update Success! Rebooting...')), { ...nothing, webUpdater: true });
  const flashMap = 'cores/esp8266/flash_hal.cpp:75 flashinit: configuration not found';
  t.deepEqual(findTraces(content(flashMap)), { ...nothing, flashMap: true });
});

test('lists each SDK version in a sketch once', (t) => {
  const content = Buffer.from(
    'v 2.2.2-dev(38a443e)\0 2.2.2-dev(38a443e) 2.2.1(cfd48f3)\0 1.5.3(aec24ac9) 1.2.3(zzz) 10.20(1234567)',
  );
  t.deepEqual(findTraces(content).sdkVersions, ['2.2.2-dev(38a443e)', '2.2.1(cfd48f3)', '1.5.3(aec24ac9)']);
});

test('limits the number of listed SDK versions', (t) => {
  const many = Array.from({ length: 5000 }, (_, index) => `2.2.1(${(index + 0x1000000).toString(16)})`).join(' ');
  t.is(findTraces(Buffer.from(many)).sdkVersions.length, 8);
});

test('finds no library traces in empty content', (t) => {
  t.deepEqual(findTraces(new Uint8Array()), nothing);
});

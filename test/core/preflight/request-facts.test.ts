import test from 'ava';
import fc from 'fast-check';
import { factsOfRequest, isFromDevice, parseRequest } from '../../../src/core/preflight/request-facts.ts';

const headers = {
  'User-Agent': 'ESP8266-http-Update',
  'x-ESP8266-STA-MAC': '18:FE:AA:AA:AA:AA',
  'x-ESP8266-free-space': '671744',
  'x-ESP8266-sketch-size': '373940',
  'x-ESP8266-sketch-md5': 'A56F8EF78A0BEBD812F62067DAF1408A',
  'x-ESP8266-chip-size': '4194304',
  'x-ESP8266-sdk-version': '1.3.0',
  'x-ESP8266-mode': 'sketch',
  'x-ESP8266-version': 'DOOR-7-g14f53a19',
};

const textOf = (fields: Readonly<Record<string, string>>): string =>
  ['GET /update HTTP/1.0', ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n');
const parsed = (fields: Readonly<Record<string, string>>) => parseRequest(textOf(fields));
const factsIn = (fields: Readonly<Record<string, string>>) => factsOfRequest(parsed(fields));

test('computes the start of the filesystem from the free space and the sketch size in whole sectors', (t) => {
  t.deepEqual(factsIn(headers), {
    facts: {
      transport: 'http',
      kind: 'sketch',
      chipSizeBytes: 4194304,
      sketchSizeBytes: 373940,
      fsStart: 671744 + 376832,
    },
    sketchMd5: 'a56f8ef78a0bebd812f62067daf1408a',
    version: 'DOOR-7-g14f53a19',
    freeSpaceBytes: 671744,
  });
});

test('ignores the case of request headers, because proxies can change it', (t) => {
  for (const change of [(name: string) => name.toLowerCase(), (name: string) => name.toUpperCase()]) {
    const changed = Object.fromEntries(Object.entries(headers).map(([name, value]) => [change(name), value]));
    t.deepEqual(factsIn(changed), factsIn(headers));
  }
});

test('accepts a free space of 0 and ignores a value that is negative or not a multiple of the sector size', (t) => {
  t.is(factsIn({ ...headers, 'x-ESP8266-free-space': '0' }).facts.fsStart, 376832);
  t.is(factsIn({ ...headers, 'x-ESP8266-free-space': '-4096' }).facts.fsStart, undefined);
  t.is(factsIn({ ...headers, 'x-ESP8266-free-space': '100' }).facts.fsStart, undefined);
});

test('treats the mode "spiffs" as a filesystem update and ignores the mode "version"', (t) => {
  t.is(factsIn({ ...headers, 'x-ESP8266-mode': 'spiffs' }).facts.kind, 'filesystem');
  t.is(factsIn({ ...headers, 'x-ESP8266-mode': 'version' }).facts.kind, undefined);
});

test('recognizes requests of devices by their headers, and never throws', (t) => {
  t.true(isFromDevice(parsed({ Host: 'x', 'X-ESP8266-Mode': 'sketch' })));
  t.false(isFromDevice(parsed({ Host: 'x' })));
  t.deepEqual(factsIn({ Host: 'x' }), factsIn({}));
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (text) => t.notThrows(() => factsOfRequest(parseRequest(text)))),
  );
});

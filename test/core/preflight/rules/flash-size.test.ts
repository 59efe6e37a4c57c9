import test from 'ava';
import type { ReleaseImage } from '../../../../src/core/preflight/release.ts';
import { flashSize as rule } from '../../../../src/core/preflight/rules/flash-size.ts';
import { blocks, isSilent, sound, warns } from '../case.ts';

const onOneMegabyte = { chipSizeBytes: 0x100000 };

test('blocks a raw or gzip-compressed sketch for a larger flash chip', (t) => {
  blocks(t, rule, { artifact: sound.raw, facts: onOneMegabyte }, /4194304.*1048576.*ERROR 9/);
  blocks(t, rule, { artifact: sound.raw, facts: { ...onOneMegabyte, transport: 'http' } }, /-107/);
  blocks(t, rule, { artifact: sound.gzip, facts: onOneMegabyte }, /every later update with ERROR 8/);
});

test('blocks a gzip-compressed sketch but not a raw sketch if the chip size is unknown', (t) => {
  blocks(
    t,
    rule,
    { artifact: sound.gzip, facts: { chipSizeBytes: undefined } },
    /flash chip size of the device is unknown/,
  );
  isSilent(t, rule, { artifact: sound.raw, facts: { chipSizeBytes: undefined } });
});

test('warns about an image whose flash size is unknown', (t) => {
  warns(t, rule, { image: { flashSizeBytes: undefined } }, /is not a flash size of the ESP8266/);
});

test('allows a sketch for the same or a smaller flash size', (t) => {
  isSilent(t, rule, { artifact: sound.gzip });
  isSilent(t, rule, { artifact: sound.gzip, image: { flashSizeBytes: 0x100000 } });
});

test('accepts a sketch with FLASH_MAP_SUPPORT on every chip if it is compressed or the device has this option', (t) => {
  const image: Partial<ReleaseImage> = {
    flashSizeBytes: 0x1000000,
    traces: { sdkVersions: [], updater: true, arduinoOta: true, httpUpdate: false, webUpdater: false, flashMap: true },
  };
  isSilent(t, rule, { artifact: sound.gzip, image, facts: onOneMegabyte });
  isSilent(t, rule, { artifact: sound.raw, image, facts: { ...onOneMegabyte, flashMap: true } });
  warns(t, rule, { artifact: sound.raw, image, facts: { ...onOneMegabyte, flashMap: undefined } }, /unknown/);
  blocks(t, rule, { artifact: sound.raw, image, facts: { ...onOneMegabyte, flashMap: false } }, /ERROR 9/);
  blocks(
    t,
    rule,
    { artifact: sound.raw, image, facts: { ...onOneMegabyte, core: '3.0.2', transport: 'http' } },
    /-107/,
  );
});

test('blocks a sketch for a larger flash chip on core 2.0.0, which accepts it and then rejects every later update', (t) => {
  blocks(
    t,
    rule,
    { artifact: sound.raw, facts: { ...onOneMegabyte, core: '2.0.0' } },
    /every later update with ERROR 8/,
  );
});

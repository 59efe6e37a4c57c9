import test from 'ava';
import { hasUpdaterInElf, layoutInElf } from '../../../src/core/firmware/elf-layout.ts';
import { readFirmware } from '../../../src/core/firmware/firmware.ts';
import { door } from '../../support/built-sketch.ts';

test('reads the filesystem layout from the ELF file of an image', (t) => {
  t.like(layoutInElf(door.elf, readFirmware(door.bin)), {
    name: 'eagle.flash.4m2m.ld',
    fsStart: 0x200000,
    fsEnd: 0x3fa000,
  });
});

test('returns no layout for an ELF file of a different image or without the layout symbols', (t) => {
  const other = Uint8Array.from(door.bin);
  other[0x2000] = (other[0x2000] ?? 0) ^ 1;
  t.is(layoutInElf(door.elf, readFirmware(other)), undefined);
  const renamed = Buffer.from(door.elf.toString('latin1').replaceAll('_FS_start', '_XX_start'), 'latin1');
  t.is(layoutInElf(renamed, readFirmware(door.bin)), undefined);
  t.is(layoutInElf(door.bin, readFirmware(door.bin)), undefined);
});

test('detects the Updater by its symbol, also if the sketch contains none of its error texts', (t) => {
  const firmware = readFirmware(door.bin);
  t.true(hasUpdaterInElf(door.elf, firmware));
  const without = Buffer.from(door.elf.toString('latin1').replaceAll('UpdaterClass3end', 'UpdaterClass3ent'), 'latin1');
  t.false(hasUpdaterInElf(without, firmware));
  t.is(hasUpdaterInElf(door.bin, firmware), undefined);
});

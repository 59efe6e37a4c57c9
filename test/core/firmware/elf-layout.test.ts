import test from 'ava';
import { layoutInElf, symbolTraces } from '../../../src/core/firmware/elf-layout.ts';
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

test('detects the Updater and filesystem libraries by their symbols', (t) => {
  const firmware = readFirmware(door.bin);
  const renamed = (from: string, to: string) => Buffer.from(door.elf.toString('latin1').replaceAll(from, to), 'latin1');
  t.deepEqual(symbolTraces(door.elf, firmware), { updater: true, filesystem: false });
  t.deepEqual(symbolTraces(renamed('UpdaterClass3end', 'UpdaterClass3ent'), firmware), {
    updater: false,
    filesystem: false,
  });
  t.is(symbolTraces(door.bin, firmware), undefined);
  t.is(symbolTraces(renamed('_FS_start', '_XX_start'), firmware), undefined);
});

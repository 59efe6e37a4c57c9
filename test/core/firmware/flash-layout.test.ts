import test from 'ava';
import {
  flashLayoutByBorders,
  flashLayoutByName,
  sketchAreaByHeaders,
} from '../../../src/core/firmware/flash-layout.ts';

const kb = 1024;

// Bounds from the linker scripts: `_FS_start`, then `_FS_end` from core 2.6.0 on, then `_FS_end` before core 2.6.0.
const scripts: readonly (readonly [name: string, fsStart: number, fsEnd: number, fsEndBefore: number])[] = [
  ['4m2m', 0x200000, 0x3fa000, 0x3fb000],
  ['4m1m', 0x300000, 0x3fa000, 0x3fb000],
  ['4m3m', 0x100000, 0x3fa000, 0x3fb000],
  ['4m', 0x3fb000, 0x3fb000, 0x3fb000],
  ['2m64', 0x1f0000, 0x1fb000, 0x1fb000],
  ['2m512', 0x180000, 0x1fa000, 0x1fb000],
  ['2m1m', 0x100000, 0x1fa000, 0x1fb000],
  ['1m64', 0xeb000, 0xfb000, 0xfb000],
  ['1m512', 0x7b000, 0xfb000, 0xfb000],
  ['1m', 0xfb000, 0xfb000, 0xfb000],
  ['512k32', 0x73000, 0x7b000, 0x7b000],
  ['8m6m', 0x200000, 0x7fa000, 0x7fb000],
  ['8m7m', 0x100000, 0x7fa000, 0x7fb000],
  ['16m14m', 0x200000, 0xffa000, 0xffb000],
  ['16m15m', 0x100000, 0xffa000, 0xffb000],
];

for (const [name, fsStart, fsEnd, fsEndBefore] of scripts) {
  test(`eagle.flash.${name}.ld has the same filesystem start and end as in the core release`, (t) => {
    t.like(flashLayoutByName(`eagle.flash.${name}.ld`, '3.1.2'), { fsStart, fsEnd });
    t.like(flashLayoutByName(name, '2.6.0'), { fsStart, fsEnd });
    t.like(flashLayoutByName(name, undefined), { fsStart, fsEnd });
    t.like(flashLayoutByName(name, '2.5.2'), { fsStart, fsEnd: fsEndBefore });
  });
}

test('nine filesystem layouts end one sector earlier from core 2.6.0 on', (t) => {
  const names =
    '512k 512k32 512k64 512k128 1m 1m64 1m128 1m144 1m160 1m192 1m256 1m512 2m 2m64 2m128 2m256 2m512 2m1m 4m 4m1m 4m2m 4m3m 8m6m 8m7m 16m14m 16m15m';
  const moved = names.split(' ').filter((name) => {
    const before = flashLayoutByName(name, '2.5.2');
    const after = flashLayoutByName(name, '2.6.0');
    t.truthy(before, name);
    t.truthy(after, name);
    return before?.fsEnd === (after?.fsEnd ?? 0) + 4 * kb;
  });
  t.is(moved.length, 9);
});

test('accepts a linker script path instead of a layout name', (t) => {
  t.is(flashLayoutByName('tools/sdk/ld/eagle.flash.4m2m.ld', '3.1.2')?.name, 'eagle.flash.4m2m.ld');
});

test('returns no layout for the automatic layout, an unsupported core or an unknown name', (t) => {
  t.is(flashLayoutByName('eagle.flash.auto.ld', '3.1.2'), undefined);
  t.is(flashLayoutByName('4m2m', '2.4.2'), undefined);
  t.is(flashLayoutByName('4m2m', 'nonsense'), undefined);
  t.is(flashLayoutByName('5m', '3.1.2'), undefined);
});

test('finds a layout by its bounds, as offsets or as addresses', (t) => {
  const expected = flashLayoutByName('4m2m', '3.1.2');
  t.deepEqual(flashLayoutByBorders(0x200000, 0x3fa000), expected);
  t.deepEqual(flashLayoutByBorders(0x40400000, 0x405fa000), expected);
  t.deepEqual(flashLayoutByBorders(0x40400000, 0x405fb000), flashLayoutByName('4m2m', '2.5.0'));
});

test('returns an unnamed layout for custom bounds and no layout for impossible bounds', (t) => {
  t.like(flashLayoutByBorders(0x180000, 0x3f0000), { name: undefined, fsStart: 0x180000, fsEnd: 0x3f0000 });
  t.is(flashLayoutByBorders(0x200001, 0x3fa000), undefined);
  t.is(flashLayoutByBorders(0x200000, 0x100000), undefined);
  t.is(flashLayoutByBorders(0, 0), undefined);
});

test('computes the end of the sketch area from the headers of an update request', (t) => {
  const sketchSizeBytes = 300_000;
  const freeSpaceBytes = 0x200000 - 303_104;
  const area = sketchAreaByHeaders({ freeSpaceBytes, sketchSizeBytes }, '3.1.2');
  t.is(area?.endOffset, 0x200000);
  t.deepEqual(
    area?.candidates.map(({ name }) => name),
    ['eagle.flash.4m2m.ld', 'eagle.flash.8m6m.ld', 'eagle.flash.16m14m.ld'],
  );
  const known = sketchAreaByHeaders({ freeSpaceBytes, sketchSizeBytes, chipSizeBytes: 4096 * kb }, '3.1.2');
  t.deepEqual(
    known?.candidates.map(({ fsEnd }) => fsEnd),
    [0x3fa000],
  );
});

test('returns no sketch area for impossible request headers', (t) => {
  t.is(sketchAreaByHeaders({ freeSpaceBytes: 1000, sketchSizeBytes: 300_000 }, '3.1.2'), undefined);
  t.is(sketchAreaByHeaders({ freeSpaceBytes: Number.NaN, sketchSizeBytes: 300_000 }, '3.1.2'), undefined);
});

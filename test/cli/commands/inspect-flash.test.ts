import test from 'ava';
import { gzipSync } from 'fflate';
import { builtSketch, fullDoor } from '../../support/built-sketch.ts';
import { buildLittleFs } from '../../support/littlefs-builder.ts';
import { runCommand } from '../../support/run-command.ts';

const facts = {
  core: '3.1.2',
  chipSizeBytes: 0x100000,
  fsStart: 0xeb000,
  fsEnd: 0xfb000,
  sketchSizeBytes: 60_000,
  transport: 'web',
};

const files = {
  'bare.bin': fullDoor.bin,
  'bare.bin.gz': gzipSync(fullDoor.bin),
  'fs.bin': buildLittleFs({ blockCount: 16 }),
  'facts.json': JSON.stringify(facts),
};

test('inspect draws the flash layout from the ELF and lists the assumptions', async (t) => {
  const folder = await builtSketch(t, files, fullDoor);
  const { stdout } = await runCommand(['inspect', 'build/door.ino.bin'], { cwd: folder.path });
  t.regex(stdout, /^layout +eagle\.flash\.4m2m\.ld, 4096 KB of flash$/m);
  t.regex(stdout, /^ +\|s+·+u+F+E\|$/m);
  t.regex(stdout, /^ +\|\^+ +\|$/m);
  t.regex(stdout, /u {2}update, staged at 1768-2048 KB$/m);
  t.regex(
    stdout,
    /assumptions: the running sketch is as large as the new sketch; the update is sent by espota or HTTP$/m,
  );
  t.regex(stdout, /^verifies +updates \(shown by the ELF file\)$/m);
});

test('inspect assumes the default layout for the flash size without an ELF or device facts', async (t) => {
  const folder = await builtSketch(t, files, fullDoor);
  const { stdout } = await runCommand(['inspect', 'bare.bin'], { cwd: folder.path });
  t.regex(stdout, /assumptions: the flash layout is the default for the flash size, 4m2m; /m);
});

test('inspect draws the layout from --device and marks where eboot overwrites compressed data', async (t) => {
  const folder = await builtSketch(t, files, fullDoor);
  const { stdout } = await runCommand(['inspect', 'bare.bin.gz', '--device', 'facts.json'], { cwd: folder.path });
  t.regex(stdout, /^layout +eagle\.flash\.1m64\.ld, 1024 KB of flash$/m);
  t.regex(stdout, /s {2}running sketch 0-60 KB$/m);
  t.regex(stdout, /u {2}update, staged at 64-260 KB$/m);
  t.regex(stdout, /^ +\|\^+x+ +\|$/m);
  t.regex(stdout, /x {2}staged data overwritten before eboot inflates/);
  t.notRegex(stdout, /assumptions/);
});

test('inspect --json includes headers, checksums, gzip members, traces, sketch MD5s and the flash map', async (t) => {
  const folder = await builtSketch(t, files, fullDoor);
  const inspect = async (...argv: string[]) =>
    JSON.parse((await runCommand(['inspect', ...argv, '--json'], { cwd: folder.path })).stdout);
  const raw = await inspect('build/door.ino.bin');
  t.is(raw.sketch.sketchMd5s.length, 112);
  t.true(raw.sketch.sketchMd5s.some(({ md5 }: { md5: string }) => md5 === raw.md5));
  t.is(raw.sketch.application.checksum.matches, true);
  t.is(raw.sketch.eboot.checksum.matches, true);
  t.is(raw.sketch.crc.matches, true);
  t.deepEqual(raw.layout, { fsStart: 0x200000, fsEnd: 0x3fa000 });
  t.like(raw.traces, { updater: true, webUpdater: false });
  t.is(raw.enforcement, 'elf');
  const gzip = await inspect('bare.bin.gz', '--device', 'facts.json');
  t.is(gzip.gzip.members[0].isize, fullDoor.bin.length);
  t.true(gzip.gzip.lowestStaging.inflatesFirst > 0);
  t.deepEqual(gzip.flash.staged, { from: 0x10000, to: 0x41000 });
  const filesystem = await inspect('fs.bin');
  t.like(filesystem.filesystem, { type: 'littlefs', blockSizeBytes: 4096, blockCount: 16, partitionBytes: 65536 });
  t.is(filesystem.flash, null);
});

test('inspect prints the type, size and usage of a filesystem image', async (t) => {
  const folder = await builtSketch(t, files, fullDoor);
  const { stdout } = await runCommand(['inspect', 'fs.bin'], { cwd: folder.path });
  t.regex(stdout, /^littlefs +2\.0, 16 blocks of 4096 bytes, made for 65536 bytes, 8192 in use$/m);
});

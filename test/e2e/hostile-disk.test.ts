/** Commands on a full or read-only disk: a 1 MB tmpfs, which only root can mount. */
import { rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import { door, fullDoor } from '../support/built-sketch.ts';
import { runCli } from '../support/run-cli.ts';
import { type CommandRun, runCommand } from '../support/run-command.ts';
import { type TestFolder, testFolder } from '../support/test-folder.ts';

const image = 'disk/door.bin';
const stale = ['.gz', '.signed', '.gz.signed', '.legacy_sig', '.ota.json'].map((suffix) => image + suffix);
const pageBytes = 4096;

/** A folder with keys and a small disk mounted at `disk`; undefined when mounting fails. */
async function withDisk(
  t: ExecutionContext,
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<TestFolder | undefined> {
  const folder = await testFolder(t, {
    'private.key': door.privatePem,
    'public.key': door.publicPem,
    'disk/.keep': '',
  });
  const { failed, stderr } = await execa('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder.at('disk')], {
    reject: false,
  });
  if (failed) {
    t.log(`not tested: ${stderr}`);
    t.pass();
    return undefined;
  }
  t.teardown(() => execa('umount', [folder.at('disk')]));
  for (const [name, content] of Object.entries(files)) await folder.write(name, content);
  return folder;
}

/** Fills the disk until at most `freeBytes` are free. */
async function fill(folder: TestFolder, freeBytes: number): Promise<void> {
  await rm(folder.at('disk/ballast'), { force: true });
  const { bavail, bsize } = await statfs(folder.at('disk'));
  await writeFile(join(folder.at('disk'), 'ballast'), Buffer.alloc(Math.max(0, bavail * bsize - freeBytes)));
}

function saysFull(t: ExecutionContext, { exitCode, error }: CommandRun): void {
  t.is(exitCode, 1);
  t.regex(error?.message ?? '', /could not be written: the disk is full \(ENOSPC\)$/);
  t.regex(error?.hint ?? '', /space/);
}

// The gzip artifact needs 200 KB, the signed image 285 KB and the signed gzip artifact 200 KB.
for (const freeKilobytes of [0, 4, 100, 210, 400, 500, 690]) {
  test.serial(`pack fails with ${freeKilobytes} KB of free space and leaves no artifacts`, async (t) => {
    const folder = await withDisk(t, { [image]: fullDoor.bin });
    if (folder === undefined) return;
    await fill(folder, freeKilobytes * 1024);
    saysFull(t, await runCommand(['pack', image], { cwd: folder.path }));
    t.deepEqual(await folder.list(), ['disk/ballast', image, 'private.key', 'public.key']);
  });
}

test.serial('pack succeeds when the artifacts fit on a small disk', async (t) => {
  const folder = await withDisk(t, { [image]: fullDoor.bin });
  if (folder === undefined) return;
  t.is((await runCommand(['pack', image, '--compression', 'none'], { cwd: folder.path })).exitCode, 0);
});

test.serial('pack deletes artifacts of an earlier build even when it fails on a full disk', async (t) => {
  const folder = await withDisk(t, {
    [image]: fullDoor.bin,
    ...Object.fromEntries(stale.map((name) => [name, 'stale'])),
  });
  if (folder === undefined) return;
  await fill(folder, 0);
  saysFull(t, await runCommand(['pack', image], { cwd: folder.path }));
  t.deepEqual(await folder.list(), ['disk/ballast', image, 'private.key', 'public.key']);
});

test.serial('`sign` and `signing` leave no output files on a full disk', async (t) => {
  for (const argv of [
    ['sign', '--private-key', 'private.key', '--bin', image],
    ['sign', '--private-key', 'private.key', '--bin', image, '--gzip', '--legacy', `${image}.legacy_sig`],
    ['signing', '--mode', 'sign', '--privatekey', 'private.key', '--bin', image, '--out', `${image}.signed`],
  ]) {
    const folder = await withDisk(t, { [image]: fullDoor.bin });
    if (folder === undefined) return;
    await fill(folder, 250 * 1024);
    saysFull(t, await runCommand(argv, { cwd: folder.path }));
    t.deepEqual(await folder.list(), ['disk/ballast', image, 'private.key', 'public.key']);
  }
});

test.serial('sign --manifest keeps the manifest unchanged on a full disk', async (t) => {
  const folder = await withDisk(t, { [image]: fullDoor.bin });
  if (folder === undefined) return;
  await runCommand(['pack', image, '--unsigned', '--compression', 'none'], { cwd: folder.path });
  const manifest = await folder.text(`${image}.ota.json`);
  for (const freeBytes of [0, 290 * 1024]) {
    await fill(folder, freeBytes);
    saysFull(
      t,
      await runCommand(['sign', '--private-key', 'private.key', '--manifest', `${image}.ota.json`], {
        cwd: folder.path,
      }),
    );
    t.is(await folder.text(`${image}.ota.json`), manifest);
    t.deepEqual(await folder.list(), ['disk/ballast', image, `${image}.ota.json`, 'private.key', 'public.key']);
  }
});

test.serial('keygen leaves no complete or partial key on a full disk', async (t) => {
  const folder = await withDisk(t);
  if (folder === undefined) return;
  for (const freeBytes of [0, pageBytes]) {
    await fill(folder, freeBytes);
    const argv = ['keygen', '--bits', '4096', '--private-key', 'disk/private.key', '--public-key', 'disk/public.key'];
    saysFull(t, await runCommand(argv, { cwd: folder.path }));
    t.deepEqual(await folder.list(), ['disk/ballast', 'private.key', 'public.key']);
  }
});

test.serial('header deletes an outdated header when the new header cannot be written', async (t) => {
  const folder = await withDisk(t, { 'disk/Updater_Signing.h': 'of another key' });
  if (folder === undefined) return;
  await fill(folder, 0);
  saysFull(
    t,
    await runCommand(['header', '--public-key', 'public.key', '--out', 'disk/Updater_Signing.h'], { cwd: folder.path }),
  );
  t.deepEqual(await folder.list(), ['disk/ballast', 'private.key', 'public.key']);
});

test.serial('every command that writes files reports a read-only disk', async (t) => {
  const folder = await withDisk(t, { [image]: fullDoor.bin });
  if (folder === undefined) return;
  await runCommand(['pack', image, '--unsigned', '--compression', 'none'], { cwd: folder.path });
  await execa('mount', ['-o', 'remount,ro', folder.at('disk')]);
  const before = await folder.list();
  for (const argv of [
    ['keygen', '--bits', '1024', '--private-key', 'disk/private.key', '--public-key', 'disk/public.key'],
    ['header', '--public-key', 'public.key', '--out', 'disk/Updater_Signing.h'],
    ['header', '--public-key', 'public.key', '--out', 'disk/core/Updater_Signing.h'],
    ['sign', '--private-key', 'private.key', '--bin', image],
    ['sign', '--private-key', 'private.key', '--manifest', `${image}.ota.json`],
    ['pack', image],
    ['signing', '--mode', 'header', '--publickey', 'public.key', '--out', 'disk/Updater_Signing.h'],
    ['signing', '--mode', 'sign', '--privatekey', 'private.key', '--bin', image, '--out', `${image}.signed`],
  ]) {
    const { exitCode, error } = await runCommand(argv, { cwd: folder.path });
    t.is(exitCode, 1, argv.join(' '));
    t.regex(error?.message ?? '', /could not be written: the disk is read-only \(EROFS\)$/, argv.join(' '));
    t.regex(error?.hint ?? '', /read-only/);
  }
  t.deepEqual(await folder.list(), before);
});

test.serial('init reports a read-only folder with one error and one hint and changes no files', async (t) => {
  for (const project of [
    { 'disk/platformio.ini': '[env:d1_mini]\nplatform = espressif8266\nboard = d1_mini\n', 'disk/.git/HEAD': '' },
    { 'disk/disk.ino': 'void setup() {}\nvoid loop() {}\n' },
  ]) {
    const folder = await withDisk(t, project);
    if (folder === undefined) return;
    await execa('mount', ['-o', 'remount,ro', folder.at('disk')]);
    const before = await folder.list();
    const { exitCode, stderr } = await runCli(['init', '--yes', '--quiet'], folder.at('disk'));
    t.is(exitCode, 1);
    const [line = '', hint, ...more] = stderr
      .trimEnd()
      .split('\n')
      .filter((each) => !each.startsWith('warning:'));
    t.regex(line, /^error\[FILE_UNWRITABLE\]: .* could not be written: the disk is read-only \(EROFS\)$/);
    t.regex(hint ?? '', /read-only/);
    t.deepEqual(more, []);
    t.deepEqual(await folder.list(), before);
  }
});

test.serial('init can be undone after the disk fills up, and never leaves an incomplete key pair', async (t) => {
  const files = { 'disk/disk.ino': 'void setup() {}\nvoid loop() {}\n' };
  for (const pages of [0, 1, 2, 3, 4, 5]) {
    const folder = await withDisk(t, files);
    if (folder === undefined) return;
    const before = [...(await folder.list()), 'disk/ballast'].sort();
    await fill(folder, pages * pageBytes);
    const run = await runCommand(['init', '--yes'], { cwd: folder.at('disk'), home: folder.path });
    if (run.exitCode === 0) break;
    saysFull(t, run);
    const left = await folder.list();
    t.is(left.includes('disk/private.key'), left.includes('disk/public.key'), left.join(', '));
    t.deepEqual(
      left.filter((name) => name.endsWith('.tmp')),
      [],
    );
    await rm(folder.at('disk/ballast'));
    await writeFile(folder.at('disk/ballast'), '');
    const undone = await runCommand(['init', '--undo', '--yes', '--delete-keys'], {
      cwd: folder.at('disk'),
      home: folder.path,
    });
    t.is(undone.exitCode, 0, undone.error?.message);
    t.deepEqual(await folder.list(), before);
  }
});

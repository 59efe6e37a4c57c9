import { lstat, mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { ErrorCode, OtaError } from '../../../src/errors/ota-error.ts';
import { switchLink } from '../../../src/publishing/folder/switch-link.ts';
import { buildLittleFs } from '../../support/littlefs-builder.ts';
import { type CommandRun, runCommand } from '../../support/run-command.ts';
import type { TestFolder } from '../../support/test-folder.ts';
import { type BuildFiles, folderWith, nextDoor, packDoor, packedDoor, packFile } from '../packed-door.ts';

const artifacts = ['door.ino.bin', 'door.ino.bin.gz', 'door.ino.bin.gz.signed', 'door.ino.bin.signed'];

async function place(t: ExecutionContext, builds: Readonly<Record<string, BuildFiles>>): Promise<TestFolder> {
  const folder = await folderWith(t, builds);
  await mkdir(folder.at('www'));
  return folder;
}

function publish(folder: TestFolder, ...argv: string[]): Promise<CommandRun> {
  return runCommand(['publish', '--to', './www', '--project', 'door', ...argv], { cwd: folder.path });
}

async function outcome(t: ExecutionContext, folder: TestFolder, ...argv: string[]): Promise<string> {
  const { exitCode, stdout, error } = await publish(folder, '--json', ...argv);
  t.is(exitCode, 0, error?.message);
  const { published } = JSON.parse(stdout);
  t.is(published.length, 1);
  return `${published[0].outcome} ${published[0].current ? 'current' : 'not current'}`;
}

async function refusal(t: ExecutionContext, run: Promise<CommandRun>, code: ErrorCode): Promise<OtaError | undefined> {
  const { error, stdout } = await run;
  t.is(error?.code, code, error?.message);
  t.is(stdout, '');
  return error;
}

/** The file that a web server would return for this path. */
const served = (folder: TestFolder, path: string) => folder.read(`www/door/${path}`).catch(() => undefined);

test('publish writes a build to its version folder and links the channel to the build', async (t) => {
  const folder = await place(t, { build: packedDoor });
  t.is(await outcome(t, folder, 'build/door.ino.bin'), 'published current');
  for (const path of ['1.0.0', '@stable']) {
    for (const name of [...artifacts, 'door.ino.bin.ota.json']) {
      t.deepEqual(await served(folder, `${path}/${name}`), packedDoor[name] as Buffer, `${path}/${name}`);
    }
  }
  t.true((await lstat(folder.at('www/door/@stable'))).isSymbolicLink());
  t.false((await readlink(folder.at('www/door/@stable'))).startsWith('/'), 'the tree can be moved');
});

test('publish changes nothing when repeated', async (t) => {
  const folder = await place(t, { build: packedDoor });
  await outcome(t, folder, 'build/door.ino.bin');
  const before = await folder.list();
  t.is(await outcome(t, folder, 'build/door.ino.bin'), 'unchanged current');
  t.deepEqual(await folder.list(), before);
});

test('publish includes all files of a build, whichever file is named', async (t) => {
  for (const name of ['door.ino.bin.gz.signed', 'door.ino.bin.ota.json', '']) {
    const folder = await place(t, { build: packedDoor });
    t.is(await outcome(t, folder, `build/${name}`), 'published current', name);
    for (const artifact of artifacts) t.truthy(await served(folder, `@stable/${artifact}`), `${name}: ${artifact}`);
  }
});

test('publish promotes the next version and keeps the files of the previous version', async (t) => {
  const folder = await place(t, { build: packedDoor, next: nextDoor });
  await outcome(t, folder, 'build/door.ino.bin');
  t.is(await outcome(t, folder, 'next/door.ino.bin'), 'published current');
  t.deepEqual(await served(folder, '@stable/door.ino.bin'), nextDoor['door.ino.bin'] as Buffer);
  t.deepEqual(await served(folder, '1.0.0/door.ino.bin'), packedDoor['door.ino.bin'] as Buffer);
});

test('publish does not roll the channel back when an earlier build is published again', async (t) => {
  const folder = await place(t, { build: packedDoor, next: nextDoor });
  await outcome(t, folder, 'build/door.ino.bin');
  await outcome(t, folder, 'next/door.ino.bin');
  t.is(await outcome(t, folder, 'build/door.ino.bin'), 'unchanged not current');
  t.deepEqual(await served(folder, '@stable/door.ino.bin'), nextDoor['door.ino.bin'] as Buffer);
});

test('publish promotes a version to a second channel without copying its files', async (t) => {
  const folder = await place(t, { build: packedDoor });
  await outcome(t, folder, 'build/door.ino.bin', '--channel', 'beta');
  t.is(await served(folder, '@stable/door.ino.bin'), undefined);
  t.is(await outcome(t, folder, 'build/door.ino.bin', '--channel', 'stable'), 'promoted current');
  const inodes = await Promise.all(
    ['1.0.0', '@beta', '@stable'].map(async (path) => (await lstat(folder.at(`www/door/${path}/door.ino.bin`))).ino),
  );
  t.is(new Set(inodes).size, 1);
});

test('publish rejects different bytes for an existing version', async (t) => {
  const other = await packDoor({ version: '1.0.0', board: 'd1_mini', network: 'other' });
  const folder = await place(t, { build: packedDoor, other });
  await outcome(t, folder, 'build/door.ino.bin');
  const before = await folder.list();
  const error = await refusal(t, publish(folder, 'other/door.ino.bin'), 'VERSION_TAKEN');
  t.is(error?.exitCode, 1);
  t.regex(error?.message ?? '', /door 1\.0\.0 \(sketch, d1_mini\)/);
  t.deepEqual(await folder.list(), before);
  t.deepEqual(await served(folder, '@stable/door.ino.bin'), packedDoor['door.ino.bin'] as Buffer);
});

test('publish keeps a sketch and a filesystem image side by side and replaces only the image of the same kind', async (t) => {
  const files = await packFilesystem('1.0.0');
  const folder = await place(t, { build: { ...packedDoor, ...files }, next: nextDoor });
  const { exitCode, stdout } = await publish(folder, 'build', '--json');
  t.is(exitCode, 0);
  t.deepEqual(
    JSON.parse(stdout)
      .published.map(({ kind }: { kind: string }) => kind)
      .sort(),
    ['filesystem', 'sketch'],
  );
  await outcome(t, folder, 'next/door.ino.bin');
  t.deepEqual(await served(folder, '@stable/door.ino.bin'), nextDoor['door.ino.bin'] as Buffer);
  t.deepEqual(await served(folder, '@stable/littlefs.bin'), files['littlefs.bin'] as Buffer);
});

test('publish requires different file names for two boards', async (t) => {
  const esp01 = await packDoor({ version: '1.0.0', board: 'esp01', network: 'hotel' });
  const named = await packDoor({ version: '1.0.0', board: 'esp01', network: 'hotel', file: 'door-esp01.bin' });
  const folder = await place(t, { build: packedDoor, esp01, named });
  await outcome(t, folder, 'build/door.ino.bin');
  const error = await refusal(t, publish(folder, 'esp01/door.ino.bin'), 'RELEASES_CLASH');
  t.regex(error?.message ?? '', /door\.ino\.bin/);
  t.is(await outcome(t, folder, 'named/door-esp01.bin'), 'published current');
  for (const name of ['door.ino.bin.signed', 'door-esp01.bin.signed'])
    t.truthy(await served(folder, `@stable/${name}`));
});

test('publish completes an interrupted publication without exposing partial files', async (t) => {
  const folder = await place(t, { build: packedDoor, next: nextDoor });
  await outcome(t, folder, 'build/door.ino.bin');
  // State of an interrupted publication: some files of the version, an unlinked channel folder and a temporary link.
  await mkdir(folder.at('www/door/1.1.0'));
  await writeFile(folder.at('www/door/1.1.0/door.ino.bin'), nextDoor['door.ino.bin']?.subarray(0, 1000) ?? '');
  await mkdir(folder.at('www/door/.channels/stable-00000000'));
  await symlink('nowhere', folder.at('www/door/.@stable.0badf00d.tmp'));
  t.deepEqual(await served(folder, '@stable/door.ino.bin'), packedDoor['door.ino.bin'] as Buffer);
  t.is(await outcome(t, folder, 'next/door.ino.bin'), 'published current');
  t.deepEqual(await served(folder, '1.1.0/door.ino.bin'), nextDoor['door.ino.bin'] as Buffer);
});

test('publish restores lost files of a version', async (t) => {
  const folder = await place(t, { build: packedDoor });
  await outcome(t, folder, 'build/door.ino.bin');
  await rm(folder.at('www/door/1.0.0/door.ino.bin.signed'));
  t.is(await outcome(t, folder, 'build/door.ino.bin'), 'unchanged current');
  t.truthy(await served(folder, '1.0.0/door.ino.bin.signed'));
});

test('publish keeps a complete release readable while the channel changes', async (t) => {
  const builds = [packedDoor, nextDoor];
  for (const version of ['1.2.0', '1.3.0', '1.4.0']) {
    builds.push(await packDoor({ version, board: 'd1_mini', network: `v${version.replaceAll('.', '')}_`.slice(0, 5) }));
  }
  const folder = await place(t, Object.fromEntries(builds.map((build, index) => [`build${index}`, build])));
  await outcome(t, folder, 'build0/door.ino.bin');
  const whole = new Set(builds.map((build) => join(...artifacts.map((name) => hashOf(build[name])))));
  let isDone = false;
  let reads = 0;
  const read = async () => {
    while (!isDone) {
      const state = folder.at(`www/door/${await readlink(folder.at('www/door/@stable'))}`);
      const seen = join(
        ...(await Promise.all(artifacts.map(async (name) => hashOf(await readFile(join(state, name)))))),
      );
      t.true(whole.has(seen));
      reads++;
    }
  };
  const publishAll = async () => {
    for (let index = 1; index < builds.length; index++) {
      await outcome(t, folder, `build${index}/door.ino.bin`);
      // Wait for one more complete read, however slow the reader is.
      for (const before = reads; reads === before; ) await new Promise(setImmediate);
    }
    isDone = true;
  };
  await Promise.all([read(), publishAll()]);
  t.true(reads >= builds.length - 1);
});

test('publish rejects operations that a folder does not support before writing anything', async (t) => {
  const folder = await place(t, { build: packedDoor });
  const before = await folder.list();
  const missing = ['publish', 'build/door.ino.bin', '--to', './wwww', '--project', 'door'];
  await refusal(t, runCommand(missing, { cwd: folder.path }), 'FILE_NOT_FOUND');
  await refusal(
    t,
    publish(folder, '--reference', 'build/door.ino.bin', '--firmware-version', '1.0.0'),
    'SERVER_REQUIRED',
  );
  await refusal(t, publish(folder, 'build/door.ino.bin', '--draft'), 'SERVER_REQUIRED');
  for (const version of ['../../etc', '.hidden', 'a/b', 'a\\b', '%2e%2e']) {
    const unnamed = await packDoor({});
    await folderWith(t, { build: unnamed });
    for (const [name, bytes] of Object.entries(unnamed)) await folder.write(`unnamed/${name}`, bytes);
    await refusal(t, publish(folder, 'unnamed/door.ino.bin', '--firmware-version', version), 'OPTION_INVALID');
  }
  t.deepEqual(
    (await folder.list()).filter((name) => !name.startsWith('unnamed/')),
    before,
  );
});

test('publish does not modify a channel folder that it did not create', async (t) => {
  const folder = await place(t, { build: packedDoor });
  await folder.write('www/door/@stable/.channel.json', '{"made":"by hand"}');
  await refusal(t, publish(folder, 'build/door.ino.bin'), 'FILE_UNREADABLE');
  t.is(await folder.text('www/door/@stable/.channel.json'), '{"made":"by hand"}');
});

test('switchLink changes the target of a link on Linux and on Windows', async (t) => {
  for (const platform of ['linux', 'win32'] as const) {
    const folder = await folderWith(t, {}, { 'a/name': 'a', 'b/name': 'b' });
    await switchLink(folder.at('link'), 'a', platform);
    t.is(await folder.text('link/name'), 'a');
    await switchLink(folder.at('link'), 'b', platform);
    t.is(await folder.text('link/name'), 'b');
    t.deepEqual((await readdir(folder.path)).sort(), ['a', 'b', 'link']);
  }
});

function hashOf(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? [])
    .subarray(-64)
    .toString('hex');
}

function packFilesystem(version: string): Promise<BuildFiles> {
  const image = buildLittleFs({ blockCount: 16, content: Buffer.from('page') });
  const names = ['--firmware-version', version, '--board', 'd1_mini'];
  return packFile({ 'littlefs.bin': image }, ['littlefs.bin', '--kind', 'filesystem', ...names]);
}

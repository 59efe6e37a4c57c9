/** Commands without --source in a folder whose subfolders may contain projects. */
import { mkdir } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { door } from '../../support/built-sketch.ts';
import { asOtherUser } from '../../support/other-user.ts';
import { type CommandRun, runCommand } from '../../support/run-command.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';

const keys = { 'private.key': door.privatePem, 'public.key': door.publicPem };

/** Files of a sketch with its keys and its build. */
function sketchFiles(folder: string): Readonly<Record<string, string | Uint8Array>> {
  const files = { 'door.ino': '', ...keys, 'build/door.ino.bin': door.bin, 'build/door.ino.elf': door.elf };
  return Object.fromEntries(Object.entries(files).map(([name, content]) => [`${folder}/${name}`, content]));
}

function run(folder: TestFolder, line: string, world: object = {}): Promise<CommandRun> {
  return runCommand(line.split(' '), { cwd: folder.path, home: '/home/ada', ...world });
}

async function succeed(t: ExecutionContext, folder: TestFolder, line: string): Promise<CommandRun> {
  const done = await run(folder, line);
  t.is(done.exitCode, 0, done.error?.message);
  return done;
}

test('every command without --source uses the only project below the current folder, and prints its path', async (t) => {
  const folder = await testFolder(t, sketchFiles('door'));
  const image = 'door/build/door.ino.bin';
  for (const line of [
    'header --out header.h',
    `pack ${image} --project door --firmware-version 1.0`,
    `sign --bin ${image}`,
    `verify ${image}.signed`,
    `inspect ${image}`,
    `preflight ${image}.ota.json --core 3.1.2 --flash-mode dio`,
  ]) {
    const { stderr } = await succeed(t, folder, line);
    t.true(stderr.includes('Project: door\n'), `${line}\n${stderr}`);
  }
  t.regex(await folder.text('header.h'), /#define ARDUINO_SIGNING 1/);

  await mkdir(folder.at('www'));
  await succeed(t, folder, 'publish --to ./www');
  const upload = await run(folder, 'upload --host 127.0.0.1 --attempts 1 --timeout 0.1 --method web --port 9');
  t.regex(upload.stderr, /door\/build\/door\.ino\.bin/, 'the build of the project is sent');
});

test('keygen creates the keys in the only project below the current folder', async (t) => {
  const folder = await testFolder(t, { 'door/platformio.ini': '' });
  await succeed(t, folder, 'keygen --bits 1024');
  t.deepEqual(await folder.list(), ['door/platformio.ini', 'door/private.key', 'door/public.key']);
});

test('a folder with several projects, a configuration or keys is used as the project folder', async (t) => {
  for (const files of [{ 'heater/heater.ino': '' }, { 'ota.config.json': '{}' }, { 'public.key': door.publicPem }]) {
    const folder = await testFolder(t, { ...sketchFiles('door'), ...files });
    const { stderr } = await run(folder, 'header --out header.h');
    t.notRegex(stderr, /Project:|Configuration:/);
  }
});

test('the home folder is not searched for projects', async (t) => {
  const folder = await testFolder(t, sketchFiles('door'));
  const { stderr } = await run(folder, 'header --out header.h', { home: folder.path });
  t.is(stderr, `Not enabling binary signing: no public.key in ${folder.path}\n`);
});

test('the keys of a project in a subfolder that belongs to a different user are not used', async (t) => {
  const folder = await testFolder(t, sketchFiles('door'));
  const userId = await asOtherUser(folder.at('door'));
  // Without root, both folders have the same owner, as in a container.
  const isOther = process.geteuid?.() === 0;
  const { stderr } = await run(folder, 'header --out header.h', { userId });
  t.is(stderr.includes('Enabling binary signing'), !isOther);
});

test('build requires exactly one project in the current folder or below it', async (t) => {
  const two = await testFolder(t, { 'door/door.ino': '', 'heater/platformio.ini': '', 'ota.config.json': '{}' });
  t.is((await run(two, 'build')).error?.code, 'PROJECT_AMBIGUOUS');
  const one = await testFolder(t, { 'door/door.ino': '', 'ota.config.json': '{}' });
  const missing = await run(one, 'build', { env: { ARDUINO_CLI: one.at('arduino-cli') } });
  t.is(missing.error?.code, 'PROGRAM_MISSING');
  t.true(missing.stderr.includes('Project: door\n'));
});

/** The workflow templates in projects that `init` set up: they create a signed build with the version of the tag. */
import { chmod, cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import { makeWorkplace } from '../arduino/workplace.ts';
import { cli, environment, makeProject, sketch } from '../platformio/project.ts';
import { arduinoCli } from '../provision/arduino-cli.ts';
import { placeCommand, runAction, runJob } from './workflow-job.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const tag = { GITHUB_REF_TYPE: 'tag', GITHUB_REF_NAME: 'v1.2.0' };

async function git(folder: string, ...argv: readonly string[]): Promise<void> {
  const settings = ['user.name=test', 'user.email=test@example.invalid', 'protocol.file.allow=always'];
  await execa('git', [...settings.flatMap((setting) => ['-c', setting]), ...argv], {
    cwd: folder,
    env: { HOME: dirname(folder), GIT_CONFIG_NOSYSTEM: '1' },
  });
}

async function install(folder: string): Promise<void> {
  await mkdir(join(folder, 'node_modules'), { recursive: true });
  await symlink(repository, join(folder, 'node_modules', 'ota-hooks'), 'dir');
  await placeCommand(folder);
}

/** Sets up a project with `init`, commits and tags it, and returns a shallow clone of the tag, as the runner has it. */
async function checkoutAfterInit(folder: string): Promise<string> {
  await install(folder);
  await writeFile(join(folder, '.gitignore'), 'node_modules/\n');
  const env = { HOME: dirname(folder) };
  await execa(process.execPath, [cli, 'init', '--yes'], { cwd: folder, env });
  await git(folder, 'init', '--quiet');
  await git(folder, 'add', '.');
  await git(folder, 'commit', '--quiet', '-m', 'door');
  await git(folder, 'tag', '-a', '-m', 'release', 'v1.2.0');
  const checkout = `${folder}-checkout`;
  await git(folder, 'clone', '--quiet', '--depth', '1', '--branch', 'v1.2.0', `file://${folder}`, checkout);
  await install(checkout);
  return checkout;
}

/** Runs both jobs and checks the version of the signed build. */
async function runBoth(
  t: ExecutionContext,
  project: { workflow: string; folder: string; keys: string; image: string; env: Readonly<Record<string, string>> },
): Promise<void> {
  const { workflow, keys, image, env } = project;
  const folder = await checkoutAfterInit(project.folder);
  const built = await runJob('build', { workflow, folder, env: { ...tag, ...env } });
  t.is(built.failed, undefined, built.output);
  const manifest = JSON.parse(await readFile(join(folder, 'release', `${image}.ota.json`), 'utf8'));
  t.like(manifest, { version: '1.2.0', enforcement: 'elf' });

  const signer = `${folder}-signer`;
  await mkdir(join(signer, 'temp'), { recursive: true });
  await cp(join(folder, 'release'), join(signer, 'release'), { recursive: true });
  await mkdir(join(signer, keys), { recursive: true });
  await cp(join(folder, keys, 'public.key'), join(signer, keys, 'public.key'));
  await placeCommand(signer);
  const privateKey = await readFile(join(project.folder, keys, 'private.key'), 'utf8');
  const signed = await runJob('sign', {
    workflow,
    folder: signer,
    env: { OTA_PRIVATE_KEY: privateKey },
    needs: { sums: built.outputs['sums'] ?? '' },
  });
  t.is(signed.failed, undefined, signed.output);

  const otherTag = await runJob('build', { workflow, folder, env: { ...tag, ...env, GITHUB_REF_NAME: 'v1.3.0' } });
  t.regex(otherTag.output, /The tag is v1\.3\.0, but the firmware version is 1\.2\.0/);
}

test.serial('the PlatformIO workflow builds and signs a project that init set up', async (t) => {
  const ini = ['[env:d1_mini]', ...environment.filter((line) => !line.startsWith('extra_scripts'))].join('\n');
  const { folder } = await makeProject(t, { ini });
  const env = { PLATFORMIO_CORE_DIR: join(dirname(folder), 'core') };
  await runBoth(t, { workflow: 'github-platformio.yml', folder, keys: '.', image: 'firmware.bin', env });
  await runActionInBothForms(t, folder, env);
});

/** Runs the action in the checkout that `runBoth` left: in two jobs, in one job, and without a key. */
async function runActionInBothForms(t: ExecutionContext, folder: string, env: Readonly<Record<string, string>>) {
  const [checkout, signer] = [`${folder}-checkout`, `${folder}-checkout-signer`];
  const gh = await placeGh(dirname(folder));
  const run = (place: string, inputs: Readonly<Record<string, string>>) =>
    runAction('firmware-action', { folder: place, inputs, env: { ...env, GH_LOG: gh.log }, programs: gh.programs });
  const privateKey = await readFile(join(folder, 'private.key'), 'utf8');

  const built = await run(checkout, { environment: 'd1_mini' });
  t.is(built.failed, undefined, built.output);
  t.regex(built.summary, /\| d1_mini\.bin \| \d+ \| [0-9a-f]{64} \|.*\*\*Not signed\.\*\*/s);
  const unsigned = await run(checkout, { environment: 'd1_mini', release: 'v1.2.0' });
  t.is(unsigned.failed, 'Attach the files to the release');
  t.deepEqual(await gh.calls(), [], 'an unsigned build is not attached');

  await cp(join(checkout, 'ota-release'), join(signer, 'ota-release'), { recursive: true });
  const inputs = { sums: built.outputs['sums'] ?? '', 'private-key': privateKey, release: 'v1.2.0' };
  const signed = await run(signer, inputs);
  t.is(signed.failed, undefined, signed.output);
  t.regex(signed.summary, /\| d1_mini\.bin\.gz\.signed \|/);
  t.notRegex(signed.summary, /Not signed/);
  t.notRegex(signed.output, /PRIVATE KEY/);
  const files = ['bin', 'bin.gz', 'bin.gz.signed', 'bin.ota.json', 'bin.signed'];
  const attached = `release upload v1.2.0 ${files.map((end) => `ota-release/d1_mini.${end}`).join(' ')} --clobber`;
  t.deepEqual(await gh.calls(), [
    'example/door release view v1.2.0',
    'example/door release create v1.2.0 --verify-tag --title v1.2.0 --notes ',
    `example/door ${attached}`,
  ]);
  await writeFile(join(signer, 'ota-release', 'd1_mini.bin'), 'another firmware');
  t.is((await run(signer, inputs)).failed, 'Check that these are the files from the build job');

  const inOneJob = await run(checkout, { environment: 'd1_mini', 'private-key': privateKey, release: 'v1.2.0' });
  t.is(inOneJob.failed, undefined, inOneJob.output);
  t.is((await gh.calls()).at(-1), `example/door ${attached}`);
  await mkdir(join(checkout, 'www'));
  const publish = ['publish', 'ota-release', '--to', './www'];
  await execa(process.execPath, [cli, ...publish], { cwd: checkout, env: { HOME: dirname(folder) } });
  const published = await readdir(join(checkout, 'www', 'project', '1.2.0'));
  t.true(published.includes('d1_mini.bin.gz.signed'), 'as docs/ci.md describes');
}

/** Installs a fake `gh` that records its arguments and finds no release. */
async function placeGh(folder: string) {
  const programs = join(folder, 'programs');
  const log = join(folder, 'gh-calls');
  await mkdir(programs, { recursive: true });
  await writeFile(log, '');
  const script = '#!/bin/sh\ntest -n "$GH_TOKEN" || exit 4\necho "$GH_REPO $*" >> "$GH_LOG"\ntest "$2" != view\n';
  await writeFile(join(programs, 'gh'), script);
  await chmod(join(programs, 'gh'), 0o755);
  const calls = async () => (await readFile(log, 'utf8')).split('\n').slice(0, -1);
  return { programs, log, calls };
}

test.serial('the arduino-cli workflow builds and signs a sketch that init set up', async (t) => {
  const workplace = await makeWorkplace(t);
  const folder = join(workplace.folder, 'my-device');
  await mkdir(join(folder, 'firmware'), { recursive: true });
  await writeFile(join(folder, 'firmware', 'firmware.ino'), sketch);
  await writeFile(join(folder, 'firmware', 'sketch.yaml'), 'default_fqbn: esp8266:esp8266:d1_mini\n');
  const at = (name: string) => join(workplace.folder, name);
  const env = {
    ARDUINO_CLI: arduinoCli.program,
    ARDUINO_DIRECTORIES_DATA: at('data'),
    ARDUINO_DIRECTORIES_USER: at('user'),
    ARDUINO_DIRECTORIES_DOWNLOADS: at('downloads'),
    ARDUINO_BUILD_CACHE_PATH: at('cache'),
    ARDUINO_UPDATER_ENABLE_NOTIFICATION: 'false',
  };
  await runBoth(t, { workflow: 'github-arduino-cli.yml', folder, keys: 'firmware', image: 'firmware.ino.bin', env });
});

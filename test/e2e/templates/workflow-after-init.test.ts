/** The workflow templates in projects that `init` set up: the version comes from the tag, and a signed build results. */
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import { makeWorkplace } from '../arduino/workplace.ts';
import { cli, environment, makeProject, sketch } from '../platformio/project.ts';
import { arduinoCli } from '../provision/arduino-cli.ts';
import { placeCommand, runJob } from './workflow-job.ts';

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
  t.regex(otherTag.output, /The tag is v1\.3\.0, but the firmware calls itself 1\.2\.0/);
}

test.serial('the PlatformIO workflow builds and signs a project that init set up', async (t) => {
  const ini = ['[env:d1_mini]', ...environment.filter((line) => !line.startsWith('extra_scripts'))].join('\n');
  const { folder } = await makeProject(t, { ini });
  const env = { PLATFORMIO_CORE_DIR: join(dirname(folder), 'core') };
  await runBoth(t, { workflow: 'github-platformio.yml', folder, keys: '.', image: 'firmware.bin', env });
});

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

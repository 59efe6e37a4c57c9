/** Tests that queries to PlatformIO execute no code from the project, unlike builds. */
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import { exampleRun } from '../../cli/help/example-run.ts';
import { testFolder } from '../../support/test-folder.ts';
import { cli, makeKeys } from '../platformio/project.ts';
import { platformIo } from '../provision/platformio.ts';
import { plantTraps } from './traps.ts';

/** A platformio.ini with all files and commands that PlatformIO executes or includes in a build. */
const ini = (marks: string) => `[platformio]
extra_configs = more.ini
description = \${sysenv.OTA_PASSPHRASE}

[env:d1]
platform = symlink://./platform
board = d1_mini
framework = arduino
extra_scripts =
  pre:pre.py
  post:post.py
build_flags = !touch ${marks}/build-flags
upload_protocol = custom
upload_command = touch ${marks}/upload-command
test_framework = custom
`;

const more = (marks: string) => `[env]
build_src_flags = !touch ${marks}/build-src-flags
`;

async function strangersProject(t: ExecutionContext, folder: string) {
  const traps = await plantTraps(t, folder);
  const marks = await mkdtemp(join(tmpdir(), 'ota-hooks-marks-'));
  t.teardown(() => rm(marks, { recursive: true, force: true }));
  const python = (mark: string) => `open(${JSON.stringify(join(marks, mark))}, "w").close()\n`;
  const { privateKey, publicKey } = makeKeys();
  const files: Readonly<Record<string, string>> = {
    'platformio.ini': ini(marks),
    'more.ini': more(marks),
    'pre.py': python('pre-script'),
    'post.py': python('post-script'),
    'platform/platform.py': `${python('platform')}from platformio.platform.base import PlatformBase\nclass StrangerPlatform(PlatformBase):\n    pass\n`,
    'platform/platform.json': JSON.stringify({
      name: 'stranger',
      title: 'Stranger',
      version: '1.0.0',
      frameworks: { arduino: { script: 'builder/framework.py' } },
    }),
    'platform/builder/framework.py': python('framework'),
    'platform/builder/main.py': `${python('builder')}from SCons.Script import DefaultEnvironment\nDefaultEnvironment().BuildProgram()\n`,
    'platform/boards/d1_mini.json': JSON.stringify({
      name: 'D1',
      vendor: 'x',
      url: 'https://example.invalid',
      frameworks: ['arduino'],
      build: { mcu: 'esp8266' },
      upload: { maximum_ram_size: 81920, maximum_size: 1044464 },
    }),
    'src/main.cpp': '#include <ESP8266WiFi.h>\nvoid setup() {}\nvoid loop() {}\n',
    'private.key': privateKey,
    'public.key': publicKey,
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text, { mode: 0o600 });
  }
  const core = await mkdtemp(join(tmpdir(), 'ota-hooks-core-'));
  t.teardown(() => rm(core, { recursive: true, force: true }));
  await cp(platformIo.coreTemplate, core, { recursive: true });
  const sprung = async () => [...(await traps.sprung()), ...(await readdir(marks))];
  return { traps, sprung, core };
}

for (const [title, environment] of [
  ['named by PLATFORMIO_CLI', { PLATFORMIO_CLI: platformIo.pio }],
  ['found in PATH after the folders of the tree', {}],
] as const) {
  test.serial(
    `doctor, init and upload execute nothing from a PlatformIO project, with PlatformIO ${title}`,
    async (t) => {
      const upload = await exampleRun(
        t,
        ['upload'],
        'ota-hooks upload build/door.ino.bin --host 192.168.1.20 --password-env DOOR_PASSWORD',
      );
      const { sprung, core, traps } = await strangersProject(t, upload.cwd);
      const run = (argv: readonly string[]) =>
        execa(process.execPath, [cli, ...argv], {
          cwd: upload.cwd,
          extendEnv: false,
          env: {
            ...upload.env,
            ...environment,
            OTA_PASSPHRASE: 'open sesame',
            HOME: core,
            PLATFORMIO_CORE_DIR: core,
            PATH: `${traps.path}:${dirname(platformIo.pio)}`,
          },
          reject: false,
          all: true,
          timeout: 120_000,
        });
      const doctor = await run(['doctor']);
      t.regex(doctor.all, /PlatformIO 6\.\d+\.\d+/, 'doctor queried PlatformIO');
      t.deepEqual(await sprung(), [], doctor.all);
      const init = await run(['init', '--yes']);
      t.is(init.exitCode, 0, init.all);
      t.deepEqual(await sprung(), [], init.all);
      const sent = await run(upload.argv);
      t.is(sent.exitCode, 0, sent.all);
      t.deepEqual(await sprung(), [], sent.all);
    },
  );
}

test.serial('a build of this project triggers the traps', async (t) => {
  const folder = await testFolder(t);
  const { sprung, core } = await strangersProject(t, folder.path);
  const run = await execa(platformIo.pio, ['run'], {
    all: true,
    cwd: folder.path,
    extendEnv: false,
    env: {
      HOME: core,
      PLATFORMIO_CORE_DIR: core,
      PATH: '/usr/bin:/bin',
      PLATFORMIO_SETTING_ENABLE_TELEMETRY: 'no',
      PLATFORMIO_SETTING_CHECK_PLATFORMIO_INTERVAL: '9999',
      PLATFORMIO_SETTING_CHECK_PRUNE_SYSTEM_THRESHOLD: '0',
    },
    reject: false,
    timeout: 120_000,
  });
  const found = await sprung();
  for (const mark of [
    'platform',
    'pre-script',
    'post-script',
    'builder',
    'framework',
    'build-flags',
    'build-src-flags',
  ]) {
    t.true(found.includes(mark), `${mark}: ${found.join(' ')} ${run.all}`);
  }
});

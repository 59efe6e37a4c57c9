import { existsSync } from 'node:fs';
import { chmod, copyFile, cp, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import test from 'ava';
import { artifactsOf, cli, environment, hook, isSignedWith, makeKeys, makeProject, placeKeys } from './project.ts';

const keys = makeKeys();
const signed = ['.gz', '.signed', '.gz.signed', '.ota.json'];
const platform = environment.slice(0, 3);

for (const name of ['private.key', 'public.key']) {
  test.serial(`an invalid ${name} removes earlier artifacts and fails every build until it is fixed`, async (t) => {
    const project = await makeProject(t);
    const image = project.built('firmware.bin');
    await placeKeys(project, keys);
    await project.run();
    t.deepEqual(artifactsOf(image), signed);

    await project.write(name, 'no key\n');
    for (const _ of ['first', 'again']) {
      const run = await project.run();
      t.is(run.exitCode, 1);
      t.regex(run.output, new RegExp(`error\\[\\w+\\]: .*${name}`));
      t.deepEqual(artifactsOf(image), []);
    }
    await placeKeys(project, keys);
    t.is((await project.run()).exitCode, 0);
    t.true(await isSignedWith(`${image}.signed`, keys));
  });
}

test.serial('fails when a key named in platformio.ini is missing', async (t) => {
  const project = await makeProject(t, { lines: ['custom_ota_public_key = keys/absent.pub'] });
  const run = await project.run();
  t.is(run.exitCode, 1);
  t.regex(run.output, /error\[KEY_NOT_FOUND\]: .*absent\.pub/);
});

test.serial('reports missing Node.js with a hint and leaves no outdated artifacts', async (t) => {
  const project = await makeProject(t);
  await placeKeys(project, keys);
  await project.run();
  await placeKeys(project, makeKeys());
  const run = await project.runWith({ OTA_NODE: 'node-that-is-not-there' });
  t.is(run.exitCode, 1);
  t.regex(run.output, /error: Node\.js not found \(searched for: node-that-is-not-there\).* +Install Node\.js/s);
  t.deepEqual(artifactsOf(project.built('firmware.bin')), []);
});

test.serial('looks for Node.js in platformio.ini, OTA_NODE, npm and PATH, in this order', async (t) => {
  const project = await makeProject(t);
  const absent = 'there/is/none';
  t.is((await project.runWith({ OTA_NODE: '', npm_node_execpath: process.execPath })).exitCode, 0);
  await project.write('public.key', keys.publicKey);
  t.is((await project.runWith({ OTA_NODE: '' })).exitCode, 0, 'Node.js is found in PATH');
  await project.write('public.key', makeKeys().publicKey);
  t.is((await project.runWith({ OTA_NODE: '', npm_node_execpath: absent })).exitCode, 1);
  t.is((await project.runWith({ OTA_NODE: absent, npm_node_execpath: process.execPath })).exitCode, 1);
  await project.write(
    'platformio.ini',
    ['[env:d1]', ...environment, `custom_ota_node = ${process.execPath}`].join('\n'),
  );
  t.is((await project.runWith({ OTA_NODE: absent })).exitCode, 0);
});

test.serial('reports a missing CLI with a hint and finds the CLI in the package that contains the hook', async (t) => {
  const project = await makeProject(t, {
    ini: ['[env:d1]', ...platform, 'extra_scripts = pre:node_modules/ota-hooks/hooks/platformio.py'].join('\n'),
  });
  await cp(dirname(hook), project.path('node_modules/ota-hooks/hooks'), { recursive: true });
  const run = await project.run();
  t.is(run.exitCode, 1);
  t.regex(run.output, /error: command line tool not found: .*dist.cli\.js.* +Run npm install/s);

  await project.write('node_modules/ota-hooks/dist/cli.js', `import ${JSON.stringify(cli)};\n`);
  t.is((await project.run()).exitCode, 0, 'the CLI is found beside the script, in its package');
});

test.serial('a killed pack fails the build and leaves no artifacts', async (t) => {
  const project = await makeProject(t);
  const image = project.built('firmware.bin');
  await placeKeys(project, keys);
  await project.run();

  // Writes a partial artifact, then kills itself with SIGKILL.
  const killed = project.path('killed.cjs');
  await writeFile(
    killed,
    `#!${process.execPath}
const { writeFileSync } = require('node:fs');
if (process.argv[3] === 'pack') {
  writeFileSync(process.argv.at(-1) + '.signed', 'half');
  process.kill(process.pid, 'SIGKILL');
}
`,
  );
  await chmod(killed, 0o755);
  await project.write(
    'src/main.cpp',
    '#include <ESP8266WiFi.h>\nvoid setup() { WiFi.begin("b", "c"); }\nvoid loop() {}\n',
  );
  const run = await project.runWith({ OTA_NODE: killed });
  t.not(run.exitCode, 0, run.output);
  t.deepEqual(artifactsOf(image), []);

  t.like(await project.run(), { exitCode: 0, started: ['pack'] });
  t.true(await isSignedWith(`${image}.signed`, keys));
});

test.serial(
  'a sketch without ESP8266WiFi fails to link if a key is configured, and the error names the library',
  async (t) => {
    const project = await makeProject(t, {
      sketch: '#include <Arduino.h>\nvoid setup() { ESP.updateSketch(*(Stream *)0, 0); }\nvoid loop() {}\n',
    });
    t.is((await project.run()).exitCode, 0, 'the sketch links without a key');
    await placeKeys(project, keys);
    const run = await project.run();
    t.is(run.exitCode, 1, run.output);
    t.regex(run.output, /error: .*lacks the library ESP8266WiFi.* +Add #include <ESP8266WiFi\.h>/s);
    t.regex(run.output, /undefined reference to .*updaterSigning/);
  },
);

test.serial('misspelled options and values fail a build and do not prevent cleaning', async (t) => {
  const project = await makeProject(t, { lines: ['custom_ota_privat_key = private.key'] });
  const run = await project.run();
  t.is(run.exitCode, 1);
  t.regex(
    run.output,
    /error: unknown option in platformio\.ini: custom_ota_privat_key.* +Use one of: .*custom_ota_private_key/s,
  );
  t.is((await project.run('-t', 'clean')).exitCode, 0);

  await project.write('platformio.ini', ['[env:d1]', ...environment, 'custom_ota_legacy = perhaps'].join('\n'));
  t.regex(
    (await project.run()).output,
    /invalid value in platformio\.ini: custom_ota_legacy = perhaps.* +Use one of: yes/s,
  );
});

test.serial('rejects use as a post: script, which runs too late to affect the libraries', async (t) => {
  const project = await makeProject(t, { ini: ['[env:d1]', ...platform, `extra_scripts = ${hook}`].join('\n') });
  const run = await project.run();
  t.is(run.exitCode, 1);
  t.regex(run.output, /error: the hook runs too late to reach the libraries.* +Put pre:/s);
});

test.serial(
  'pack rejects an image with a header added by -include, because the core overrides the header',
  async (t) => {
    const project = await makeProject(t);
    await placeKeys(project, keys);
    await project.run();
    await copyFile(project.built('ota/Updater_Signing.h'), project.path('forced.h'));
    await project.write('pack.py', packBehindTheBack);
    const lines = ['build_flags = -include "$PROJECT_DIR/forced.h"', 'extra_scripts = pack.py'];
    await project.write('platformio.ini', ['[env:d1]', ...platform, ...lines].join('\n'));
    const run = await project.run();
    t.is(run.exitCode, 1, run.output);
    t.regex(run.output, /error\[ENFORCEMENT_KEY_MISSING\]: .*firmware\.bin does not contain the public key/);
    t.false(existsSync(project.built('firmware.bin.signed')));
  },
);

/** Signs in a post action, as many projects do, without checking that the image contains the key. */
const packBehindTheBack = `
import subprocess
Import("env")
def pack(target, source, env):
    return subprocess.call([${JSON.stringify(process.execPath)}, ${JSON.stringify(cli)}, "pack", target[0].get_path()])
env.AddPostAction("$BUILD_DIR/firmware.bin", pack)
`;

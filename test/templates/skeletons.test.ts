import test from 'ava';
import { defaultLoaders } from 'cosmiconfig';
import * as v from 'valibot';
import { platformioHookLine } from '../../src/project/build/platformio.ts';
import { configSchema } from '../../src/project/config/schema.ts';
import { readTemplate } from './files.ts';

const arduino = (name: string) => readTemplate(`skeletons/arduino-cli/${name}`);
const platformio = (name: string) => readTemplate(`skeletons/platformio/${name}`);

test('both skeletons have the same program and the same example secrets', (t) => {
  t.is(arduino('firmware/firmware.ino'), platformio('src/main.cpp'));
  t.is(arduino('firmware/arduino_secrets.example.h'), platformio('include/arduino_secrets.example.h'));
});

test('the program compiles without secrets only if an update URL is set', (t) => {
  const program = platformio('src/main.cpp');
  t.regex(program, /^#if __has_include\("arduino_secrets\.h"\)$/m);
  t.regex(program, /#ifndef SECRET_OTA_PASSWORD\nstatic_assert\(sizeof\(updateUrl\) > 1, /);
});

for (const [name, config] of [
  ['PlatformIO', platformio('ota.config.json')],
  ['arduino-cli', arduino('firmware/ota.config.json')],
] as const) {
  test(`the ${name} skeleton has a valid configuration with a project and no private key`, (t) => {
    const parsed = v.parse(configSchema, JSON.parse(config));
    t.is(parsed.project, 'my-device');
    t.is(
      parsed.privateKey,
      undefined,
      'a build server has no private key, and local builds find it without configuration',
    );
  });
}

for (const [name, ignored] of [
  ['PlatformIO', platformio('gitignore')],
  ['arduino-cli', arduino('gitignore')],
] as const) {
  test(`the ${name} skeleton excludes the private key, secrets and device state from git`, (t) => {
    const lines = ignored.split('\n');
    for (const line of ['private.key', 'arduino_secrets.h', '.ota/', 'node_modules/'])
      t.true(lines.includes(line), line);
    t.false(lines.includes('public.key'));
  });
}

test('platformio.ini has the hook line, a pinned platform and one place for the version', (t) => {
  const lines = platformio('platformio.ini').split('\n');
  t.true(lines.includes(platformioHookLine));
  t.true(lines.some((line) => /^platform = espressif8266@\d+\.\d+\.\d+$/.test(line)));
  t.true(lines.includes('custom_ota_firmware_version = 0.1.0'));
  // biome-ignore lint/suspicious/noTemplateCurlyInString: PlatformIO's own interpolation
  t.true(lines.includes('    -D FIRMWARE_VERSION=\\"${this.custom_ota_firmware_version}\\"'));
});

test('sketch.yaml names the same board for the installed core and for the pinned core', async (t) => {
  const project = v.parse(
    v.object({
      default_fqbn: v.string(),
      profiles: v.record(
        v.string(),
        v.object({ fqbn: v.string(), platforms: v.array(v.object({ platform: v.string() })) }),
      ),
    }),
    await defaultLoaders['.yaml']('sketch.yaml', arduino('firmware/sketch.yaml')),
  );
  const profile = project.profiles['d1_mini'];
  t.is(profile?.fqbn, project.default_fqbn);
  t.regex(profile?.platforms[0]?.platform ?? '', /^esp8266:esp8266 \(\d+\.\d+\.\d+\)$/);
});

test('the arduino-cli skeleton has the same version in its program and configuration', (t) => {
  const { version } = JSON.parse(arduino('firmware/ota.config.json'));
  t.true(arduino('firmware/firmware.ino').includes(`#define FIRMWARE_VERSION "${version}"`));
});

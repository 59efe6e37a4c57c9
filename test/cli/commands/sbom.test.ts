/** `pack --sbom`: the files of arduino-cli and of the PlatformIO hook, and the published schema of CycloneDX. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv, type ValidateFunction } from 'ajv';
import test from 'ava';
import { door } from '../../support/built-sketch.ts';
import { elfWithComment } from '../../support/elf-with-comment.ts';
import { runCommand } from '../../support/run-command.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';

const schemas = new URL(
  '../res/schema/',
  `file://${createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library')}`,
);

/** Compiles the published schema of CycloneDX 1.6. */
function cycloneDx(): ValidateFunction {
  const read = (name: string) => JSON.parse(readFileSync(new URL(name, schemas), 'utf8'));
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  for (const name of ['spdx.SNAPSHOT.schema.json', 'jsf-0.82.SNAPSHOT.schema.json']) {
    ajv.addSchema(read(name), `http://cyclonedx.org/schema/${name}`);
  }
  return ajv.compile(read('bom-1.6.SNAPSHOT.schema.json'));
}
const isValid = cycloneDx();

interface Component {
  readonly type: string;
  readonly name: string;
  readonly version?: string;
  readonly components?: readonly Component[];
}

interface Bill {
  readonly metadata: { readonly component: { readonly hashes: readonly { readonly content: string }[] } };
  readonly components: readonly Component[];
  readonly compositions: readonly { readonly aggregate: string }[];
}

const namesIn = (components: readonly Component[] = [], type?: string) =>
  components.filter((each) => type === undefined || each.type === type).map(({ name, version }) => [name, version]);

const core = 'data/packages/esp8266/hardware/esp8266/3.1.2';
const gcc = 'data/packages/esp8266/tools/xtensa-lx106-elf-gcc/3.1.0-gcc10.3-e5f9fec/bin/xtensa-lx106-elf-g++';

async function place(t: Parameters<typeof testFolder>[0]): Promise<TestFolder> {
  const folder = await testFolder(t, {
    'public.key': door.publicPem,
    'build/sketch.bin': door.bin,
    'build/sketch.elf': elfWithComment('\0GCC: (GNU) 10.3.0\0'),
    [`${core}/platform.txt`]: 'name=ESP8266 Boards\nversion=3.1.2\n',
    [`${core}/tools/sdk/lwip2/include/lwip-git-hash.h`]: '#define LWIP_HASH_STR "STABLE-2_1_3_RELEASE/glue:1.2-65"\n',
    [`${core}/tools/sdk/include/bearssl/bearssl_git.h`]: '// made\n#define BEARSSL_GIT b024386\n',
    [`${core}/libraries/ESP8266WiFi/library.properties`]: 'name=ESP8266WiFi\r\nversion=1.0\r\n',
    'user/libraries/Adafruit_Sensor/library.properties': 'name = Adafruit Unified Sensor\nversion = 1.1.14\n',
    'user/libraries/Old/Old.h': '',
  });
  return folder;
}

async function bill(t: Parameters<typeof testFolder>[0], folder: TestFolder, ...more: string[]) {
  const argv = [
    'pack',
    'build/sketch.bin',
    '--unsigned',
    '--sbom',
    '--project',
    'door',
    '--firmware-version',
    '1.2.0',
    ...more,
  ];
  const { error, stderr } = await runCommand(argv, { cwd: folder.path });
  t.is(error, undefined);
  const document: Bill = JSON.parse(await folder.text('build/sketch.bin.cdx.json'));
  t.true(isValid(document), JSON.stringify(isValid.errors));
  return { document, stderr };
}

test('the bill of materials of an arduino-cli build names the core, its parts, libraries and the compiler', async (t) => {
  const folder = await place(t);
  const include = (path: string) => `-I${folder.at(path)}`;
  const words = [`${core}/tools/sdk/include`, `${core}/cores/esp8266`, `${core}/variants/d1_mini`];
  const libraries = [`${core}/libraries/ESP8266WiFi/src`, 'user/libraries/Adafruit_Sensor', 'user/libraries/Old'];
  const command = {
    directory: '/',
    file: 'x.cpp',
    arguments: [folder.at(gcc), ...[...words, ...libraries].map(include), 'x.cpp'],
  };
  await folder.write('build/compile_commands.json', JSON.stringify([command, command]));
  const { document, stderr } = await bill(t, folder);
  t.true(stderr.includes('Bill of materials: build/sketch.bin.cdx.json\n'), stderr);
  t.notRegex(stderr, /libraries are unknown/);
  t.deepEqual(namesIn(document.components, 'library'), [
    ['ESP8266WiFi', '1.0'],
    ['Adafruit Unified Sensor', '1.1.14'],
    ['Old', undefined],
  ]);
  const tools = namesIn(document.components, 'application');
  t.deepEqual(tools.at(-1), ['xtensa-lx106-elf-gcc', '3.1.0-gcc10.3-e5f9fec']);
  t.true(
    tools.some(([name, version = '']) => name === 'GCC' && version === '10.3.0'),
    JSON.stringify(tools),
  );
  const [framework] = document.components;
  t.deepEqual([framework?.name, framework?.version], ['Arduino core for ESP8266', '3.1.2']);
  const parts = namesIn(framework?.components);
  for (const part of [
    ['lwIP', 'STABLE-2_1_3_RELEASE/glue:1.2-65'],
    ['BearSSL', 'b024386'],
  ]) {
    t.true(
      parts.some((each) => each.join() === part.join()),
      JSON.stringify(parts),
    );
  }
  t.is(document.compositions[0]?.aggregate, 'incomplete');
});

test('the bill of materials of a PlatformIO build names what the hook recorded', async (t) => {
  const folder = await place(t);
  const recorded = {
    packages: [
      { name: 'framework-arduinoespressif8266', version: '3.30102.0' },
      { name: 'toolchain-xtensa', version: '2.100300.220621' },
    ],
    libraries: [
      { name: 'ESP8266WiFi', version: '1.0' },
      { name: 'own', version: null },
    ],
    core: folder.at(core),
  };
  await folder.write('build/ota/parts.json', JSON.stringify(recorded));
  const { document } = await bill(t, folder);
  t.deepEqual(namesIn(document.components, 'library'), [
    ['ESP8266WiFi', '1.0'],
    ['own', undefined],
  ]);
  t.deepEqual(namesIn(document.components, 'application').at(-1), ['toolchain-xtensa', '2.100300.220621']);
  t.true(namesIn(document.components[0]?.components).some(([name]) => name === 'BearSSL'));
});

test('without files of a build tool, pack --sbom warns that the libraries are unknown', async (t) => {
  const folder = await place(t);
  for (const file of ['compile_commands.json', 'ota/parts.json']) {
    for (const text of ['', '{"packages": 1}', '[{"arguments": []}]']) {
      await folder.write(`build/${file}`, text);
      const { document, stderr } = await bill(t, folder);
      t.regex(stderr, /^warning: build\/sketch\.bin: the libraries are unknown/m);
      t.is(document.compositions[0]?.aggregate, 'unknown');
      t.deepEqual(namesIn(document.components, 'library'), []);
    }
  }
});

test('equal builds have equal bills of materials, with the digest of the image and the commit', async (t) => {
  const folder = await place(t);
  const commit = 'a'.repeat(40);
  await folder.write('.git/HEAD', `${commit}\n`);
  await folder.write('.git/objects/.keep', '');
  const { document } = await bill(t, folder);
  const text = await folder.text('build/sketch.bin.cdx.json');
  await bill(t, folder);
  t.is(await folder.text('build/sketch.bin.cdx.json'), text);
  const manifest = JSON.parse(await folder.text('build/sketch.bin.ota.json'));
  t.true(document.metadata.component.hashes.some(({ content }) => content === manifest.image.sha256));
  t.true(text.includes(commit));
});

test('pack without --sbom removes the bill of materials of an earlier build, and "sbom": true writes one', async (t) => {
  const folder = await place(t);
  await bill(t, folder);
  const pack = () => runCommand(['pack', 'build/sketch.bin', '--unsigned'], { cwd: folder.path });
  t.is((await pack()).error, undefined);
  t.false((await folder.list()).includes('build/sketch.bin.cdx.json'));
  await folder.write('ota.config.json', '{"sbom": true}');
  t.is((await pack()).error, undefined);
  t.true((await folder.list()).includes('build/sketch.bin.cdx.json'));
});

test('the schema rejects a document that is no bill of materials', (t) => {
  t.false(isValid({ bomFormat: 'CycloneDX', specVersion: '1.6', components: [{ name: 'no type' }] }));
});

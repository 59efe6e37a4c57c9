import test from 'ava';
import { loadConfig } from '../../../src/project/config/load.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { testFolder } from '../../support/test-folder.ts';
import { noWords } from '../../support/user-words.ts';

const load = (source: string, named?: string) => loadConfig(source, named, noWords);

test('loadConfig returns an empty configuration when there is no file', async (t) => {
  const folder = await testFolder(t);
  t.deepEqual(await load(folder.path), { config: {}, path: undefined, folder: folder.path });
});

for (const [name, text] of [
  ['ota.config.json', '{ "project": "door" }'],
  ['ota.config.yaml', 'project: door\n'],
  ['ota.config.yml', 'project: door\n'],
  ['.otarc', 'project: door\n'],
  ['.otarc.json', '{ "project": "door" }'],
  ['.otarc.yaml', 'project: door\n'],
] as const) {
  test(`loadConfig finds ${name} in the source folder`, async (t) => {
    const folder = await testFolder(t, { [name]: text });
    const loaded = await load(folder.path);
    t.deepEqual(loaded, { config: { project: 'door' }, path: folder.at(name), folder: folder.path });
  });
}

test('loadConfig prefers ota.config.json', async (t) => {
  const folder = await testFolder(t, {
    '.otarc': 'project: other',
    'ota.config.yaml': 'project: other',
    'ota.config.json': '{"project":"door"}',
  });
  t.is((await load(folder.path)).config.project, 'door');
});

test('loadConfig searches parent folders up to the project root', async (t) => {
  const folder = await testFolder(t, {
    'ota.config.json': '{"project":"neighbors"}',
    'repository/package.json': '{}',
    'repository/ota.config.json': '{"project":"door"}',
    'repository/sketches/door/door.ino': '',
    'other/.git/HEAD': '',
    'other/sketch/sketch.ino': '',
  });
  const found = await load(folder.at('repository/sketches/door'));
  t.is(found.config.project, 'door');
  t.is(found.folder, folder.at('repository'));
  t.is((await load(folder.at('other/sketch'))).path, undefined);
});

test('loadConfig uses only the nearest configuration', async (t) => {
  const folder = await testFolder(t, {
    'package.json': '{}',
    'ota.config.json': '{"project":"outer","board":"d1_mini"}',
    'inner/ota.config.json': '{"project":"inner"}',
  });
  t.deepEqual((await load(folder.at('inner'))).config, { project: 'inner' });
});

test('loadConfig accepts a byte order mark and an empty file', async (t) => {
  const folder = await testFolder(t, {
    'marked/ota.config.json': '\uFEFF{"project":"door"}',
    'empty/ota.config.json': ' \n',
  });
  t.is((await load(folder.at('marked'))).config.project, 'door');
  t.deepEqual((await load(folder.at('empty'))).config, {});
});

test('loadConfig loads a named configuration from any folder and fails if the file is missing', async (t) => {
  const folder = await testFolder(t, { 'settings/release.json': '{"project":"door"}' });
  const loaded = await load(folder.path, 'settings/release.json');
  t.is(loaded.folder, folder.at('settings'));
  const error = await expectOtaError(t, 'CONFIG_NOT_FOUND', () => load(folder.path, 'settings/relase.json'));
  t.is(error.exitCode, 2);
  t.true(error.message.includes(folder.at('settings/relase.json')));
});

test('loadConfig reports a folder in place of a configuration as unreadable', async (t) => {
  const folder = await testFolder(t, { 'settings/other': '' });
  await expectOtaError(t, 'CONFIG_UNREADABLE', () => load(folder.path, 'settings'));
});

test('loadConfig locates syntax errors without showing the text around them', async (t) => {
  const folder = await testFolder(t, {
    'json/ota.config.json': '{\n  "passphrase": "hunter2"\n  "project": "door"\n}',
    'bare/ota.config.json': '{\n  "passphrase": hunter2\n}',
    'yaml/ota.config.yaml': 'passphrase: "hunter2"\nproject: a: b\n',
  });
  const places = {
    json: 'JSON syntax error at line 3, column 3',
    bare: 'JSON syntax error at line 2, column 17',
    yaml: 'YAML syntax error at line 2, column 11',
  };
  for (const [name, place] of Object.entries(places)) {
    const error = await expectOtaError(t, 'CONFIG_UNREADABLE', () => load(folder.at(name)));
    t.is(error.exitCode, 2);
    t.true(error.message.includes(place), error.message);
    t.false(error.message.includes('hunter2'), error.message);
    t.false(error.message.includes('\n'));
  }
});

test('loadConfig reports all errors in a configuration together, each with its path', async (t) => {
  const folder = await testFolder(t, {
    'ota.config.json': JSON.stringify({
      compresion: 'gzip',
      legacy: 'yes',
      images: ['build/*.bin', 7],
      color: 'red',
      passphrase: { env: 'OTA_PASSPHRASE', file: 'passphrase.txt' },
      signCompressedFilesystem: true,
      compression: 'none',
      publish: { draft: true, channel: 'beta' },
    }),
  });
  const { message, exitCode } = await expectOtaError(t, 'CONFIG_INVALID', () => load(folder.path));
  t.is(exitCode, 2);
  t.true(message.includes('8 errors'), message);
  for (const part of [
    'legacy must be boolean, but is "yes"',
    'images[1] must be string, but is 7',
    'compresion is not a known key',
    'color is not a known key',
    'passphrase must be {"env": "NAME"} or {"file": "PATH"}',
    'signCompressedFilesystem cannot be true while "compression" is "none"',
    'passphrase requires "privateKey"',
    'publish.channel cannot be set while "draft" is true',
  ]) {
    t.true(message.includes(part), message);
  }
});

test('loadConfig rejects a document that is not an object', async (t) => {
  for (const [name, text] of [
    ['ota.config.json', '[]'],
    ['ota.config.json', '"gzip"'],
    ['ota.config.yaml', '- images'],
  ] as const) {
    const folder = await testFolder(t, { [name]: text });
    const error = await expectOtaError(t, 'CONFIG_INVALID', () => load(folder.path));
    t.true(error.message.endsWith('has an error: the document must be an object'), error.message);
  }
});

test('loadConfig rejects inline secrets and does not repeat them', async (t) => {
  const folder = await testFolder(t, {
    'ota.config.json': JSON.stringify({
      privateKey: '-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----\n',
      passphrase: 'hunter2',
    }),
  });
  const { message } = await expectOtaError(t, 'CONFIG_INVALID', () => load(folder.path));
  t.regex(message, /privateKey must be a path, or \{"env": "NAME"\}/);
  t.regex(message, /passphrase must be \{"env": "NAME"\} or \{"file": "PATH"\}/);
  t.notRegex(message, /hunter2|MIIEvQ/);
});

test('loadConfig never executes code from a source tree', async (t) => {
  const trap = (marker: string) =>
    `require('node:fs').writeFileSync(${JSON.stringify(marker)}, '');module.exports = {};`;
  const folder = await testFolder(t, { 'package.json': '{"cosmiconfig":{"searchPlaces":["{name}.config.cjs"]}}' });
  const marker = folder.at('executed');
  for (const name of [
    '.config/config.cjs',
    '.config/config.js',
    'ota.config.js',
    'ota.config.cjs',
    'trap.cjs',
    '.otarc.js',
  ]) {
    await folder.write(name, trap(marker));
  }
  const before = process.cwd();
  process.chdir(folder.path);
  t.teardown(() => process.chdir(before));

  t.is((await load(folder.path)).path, undefined);
  for (const name of ['trap.cjs', 'ota.config.js', 'ota.config.cjs']) {
    await expectOtaError(t, 'CONFIG_UNREADABLE', () => load(folder.path, name));
  }
  await folder.write('ota.config.json', '{"$import": "./trap.cjs"}');
  await expectOtaError(t, 'CONFIG_INVALID', () => load(folder.path));
  await folder.write('ota.config.json', '{}');
  await folder.write('function.yaml', 'project: !!js/function "function () {}"');
  await expectOtaError(t, 'CONFIG_UNREADABLE', () => load(folder.path, 'function.yaml'));
  t.false((await folder.list()).includes('executed'));
});

import test from 'ava';
import { projectSettings } from '../../../src/project/config/settings.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { testFolder } from '../../support/test-folder.ts';
import { noWords } from '../../support/user-words.ts';

test('projectSettings finds keys beside the sketch if they have the default file names', async (t) => {
  const folder = await testFolder(t, { 'door/private.key': 'x', 'door/public.key': 'x', 'bare/bare.ino': '' });
  const found = await projectSettings({ source: 'door' }, folder.path, noWords);
  t.deepEqual(found.privateKey, { path: folder.at('door/private.key') });
  t.deepEqual(found.publicKey, { path: folder.at('door/public.key') });
  const none = await projectSettings({ source: 'bare' }, folder.path, noWords);
  t.is(none.privateKey, undefined);
  t.is(none.publicKey, undefined);
});

test('projectSettings prefers options, then the configuration, then files beside the sketch', async (t) => {
  const folder = await testFolder(t, {
    'ota.config.json':
      '{"privateKey": "keys/release.key", "publicKey": {"env": "PUBLIC_KEY"}, "passphrase": {"file": "keys/passphrase"}}',
    'public.key': 'x',
    'private.key': 'x',
  });
  const configured = await projectSettings({}, folder.path, noWords);
  t.deepEqual(configured.privateKey, { path: folder.at('keys/release.key') });
  t.deepEqual(configured.publicKey, { variable: 'PUBLIC_KEY' });
  t.deepEqual(configured.passphrase, { file: 'keys/passphrase' });
  t.is(configured.folder, folder.path);
  t.is(configured.configPath, folder.at('ota.config.json'));

  const named = await projectSettings(
    { privateKey: 'my.key', publicKey: 'my.pub', passphraseEnv: 'SECRET' },
    folder.path,
    noWords,
  );
  t.deepEqual(named.privateKey, { path: folder.at('my.key') });
  t.deepEqual(named.publicKey, { path: folder.at('my.pub') });
  t.deepEqual(named.passphrase, { env: 'SECRET' });
});

test('projectSettings resolves paths relative to the configuration file or the working directory', async (t) => {
  const folder = await testFolder(t, {
    'project/package.json': '{}',
    'project/ota.config.json': '{"privateKey": "private.pem"}',
    'project/sketch/sketch.ino': '',
  });
  const settings = await projectSettings({ source: 'project/sketch', publicKey: 'public.pem' }, folder.path, noWords);
  t.deepEqual(settings.privateKey, { path: folder.at('project/private.pem') });
  t.deepEqual(settings.publicKey, { path: folder.at('public.pem') });
});

test('projectSettings rejects a source that is not a folder', async (t) => {
  const folder = await testFolder(t, { 'door/door.ino': '', 'door/public.key': 'x' });
  for (const source of ['dor', 'door/door.ino']) {
    const error = await expectOtaError(t, 'FILE_NOT_FOUND', () => projectSettings({ source }, folder.path, noWords));
    t.is(error.exitCode, 2);
    t.regex(error.message, /^Source folder not found: /);
  }
});

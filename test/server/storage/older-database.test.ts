import { copyFile } from 'node:fs/promises';
import test from 'ava';
import { expectOtaError } from '../../support/expected-error.ts';
import { testFolder } from '../../support/test-folder.ts';
import { testBuild, testSigner } from '../builds.ts';
import { startTestServer } from '../running-server.ts';

test('starts with an older database only if it is accepted, and then without the option', async (t) => {
  const folder = await testFolder(t);
  const storage = { data: folder.at('data'), storeUrl: `sqlite:${folder.at('own.db')}` };
  const first = await startTestServer(t, storage);
  await first.close(0);
  await copyFile(folder.at('own.db'), folder.at('older.db'));
  const second = await startTestServer(t, storage);
  const build = await testBuild({ version: '1.0', project: 'door', signer: testSigner() });
  t.is((await second.publish(build, {}, first.token)).status, 201);
  await second.close(0);

  await copyFile(folder.at('older.db'), folder.at('own.db'));
  const { message, hint } = await expectOtaError(t, 'SERVER_STORES_DIFFER', () => startTestServer(t, storage));
  t.is(message, 'The server does not start: the database is older than the firmware files');
  t.regex(hint, /--accept-older-database/);
  const accepted = await startTestServer(t, { ...storage, acceptsOlderDatabase: true });
  t.is((await accepted.api('GET', '/projects', undefined, first.token)).status, 200);
  await accepted.close(0);
  const again = await startTestServer(t, storage);
  t.is((await again.publish(build, {}, first.token)).status, 201);
});

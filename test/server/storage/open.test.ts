import test from 'ava';
import { openBlobs } from '../../../src/server/storage/open-blobs.ts';
import { openStore } from '../../../src/server/storage/open-store.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { testFolder } from '../../support/test-folder.ts';

test('opens a SQLite store by its URL, with and without an empty authority', async (t) => {
  const folder = await testFolder(t);
  const store = await openStore(`sqlite:${folder.at('100% new/ota.db')}`, 'a test');
  await store.advanceServedMs(5);
  await store.close();
  const again = await openStore(`SQLITE://${folder.at('100% new/ota.db')}`, 'a test');
  t.is(await again.servedMs(), 5);
  await again.close();
  t.deepEqual(await folder.list(), ['100% new/ota.db']);
});

test('opens a blob folder by its URL', async (t) => {
  const folder = await testFolder(t);
  const blobs = await openBlobs(`file:${folder.at('data')}`);
  t.is((await blobs.pending()).bytes, 0);
});

test('names the supported URL schemes in the error, and omits the password', async (t) => {
  const store = await expectOtaError(t, 'STORAGE_URL_UNKNOWN', () => openStore('mysql://ota:secret@db/ota', 'a test'));
  t.is(store.message, 'The store URL is invalid: the scheme mysql is unknown');
  t.is(store.hint, 'Use a URL with the scheme sqlite or postgres or postgresql.');
  const blobs = await expectOtaError(t, 'STORAGE_URL_UNKNOWN', () => openBlobs('/var/lib/ota-hooks'));
  t.is(blobs.message, 'The blobs URL is invalid: it has no scheme');
  t.is(blobs.hint, 'Use a URL with the scheme file or s3.');
});

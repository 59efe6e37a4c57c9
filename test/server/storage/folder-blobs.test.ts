import test from 'ava';
import { folderBlobs } from '../../../src/server/storage/blobs/folder-blobs.ts';
import { testFolder } from '../../support/test-folder.ts';
import { blobContract } from './blob-contract.ts';

blobContract(test, 'folder', async (t) => {
  const { path } = await testFolder(t);
  return { blobs: await folderBlobs(path), reopen: () => folderBlobs(path) };
});

/** Identity of data that several processes use. */
import test from 'ava';
import { requireWhole, sealData } from '../../../src/server/storage/data-identity.ts';
import { once, twoProcesses } from './two-processes.ts';

test('seals the data with one identity when two processes start at the same time', async (t) => {
  const { first, second } = await twoProcesses(t);
  await Promise.all([first, second, first].map(({ parts }) => sealData(parts)));
  const identity = await first.parts.store.identity();
  t.is(identity?.seals, 3);
  const seals = await second.parts.blobs.seals();
  t.true(seals.length > 0 && seals.every(({ database }) => database === identity?.id));
  await t.notThrowsAsync(requireWhole(second.parts, 'data'));
});

test('starts while another process seals the data', async (t) => {
  const { first, second } = await twoProcesses(t);
  const { store, blobs } = second.parts;
  // The first comparison reads an old database and then new blobs.
  const seal = () => sealData(first.parts);
  once(store, 'identity', 'after', seal);
  await t.notThrowsAsync(requireWhole({ store, blobs }, 'data'));
  once(store, 'identity', 'after', seal);
  await t.notThrowsAsync(requireWhole({ store, blobs }, 'data'));
  const seals = blobs.seals.bind(blobs);
  const readTwice = { ...blobs, seals };
  once(readTwice, 'seals', 'after', seal);
  await t.notThrowsAsync(requireWhole({ store, blobs: { ...blobs, ...readTwice } }, 'data'));
});

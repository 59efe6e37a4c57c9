/** Last-seen times of devices that check in at several processes. */
import test from 'ava';
import { until } from '../../support/until.ts';
import { testBuild, testSigner } from '../builds.ts';
import { requestAsDevice } from '../raw-device.ts';
import { type Process, twoProcesses } from './two-processes.ts';

const mac = '02:00:00:00:00:01';
const build = await testBuild({ version: '1.0', project: 'door', signer: testSigner(), sizeBytes: 8192 });

/** Version that the device reported last, as a process shows it. */
async function reported({ parts }: Process): Promise<{ at: number | undefined; version: string | undefined }> {
  const seen = await parts.records.show('door', mac);
  return { at: seen?.lastSeenAt, version: seen?.report?.version };
}

async function checkIn({ port }: Process, version: string): Promise<void> {
  const before = Date.now();
  await until(() => Date.now() > before);
  await requestAsDevice(port, '/update/door', { mac, version });
}

test('shows a check-in at once in its process, and in the others when it is written', async (t) => {
  const { first, second } = await twoProcesses(t);
  await first.publish(build);
  // The check-in that creates the record is stored with it.
  await checkIn(first, '0.1');
  await checkIn(first, '0.2');
  t.is((await reported(first)).version, '0.2');
  t.is((await reported(second)).version, undefined);
  await first.parts.lastSeen.flush();
  t.deepEqual(await reported(second), await reported(first));
});

test('shows the newest check-in, whichever process writes first', async (t) => {
  const { first, second } = await twoProcesses(t);
  await first.publish(build);
  await checkIn(first, '0.1');
  await checkIn(second, '0.2');
  const newest = await reported(second);
  await second.parts.lastSeen.flush();
  t.deepEqual(await reported(first), newest, 'an older check-in in memory does not hide a stored one');
  await first.parts.lastSeen.flush();
  t.deepEqual(await reported(second), newest, 'an older check-in does not replace a stored one');
});

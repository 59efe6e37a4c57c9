/** A server whose disk fills up: a 2 MB tmpfs, which only root can mount. */
import { rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import { sketchMd5Of, testBuild, testSigner } from '../../server/builds.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { startTestServer } from '../../server/running-server.ts';
import { testFolder } from '../../support/test-folder.ts';

const signer = testSigner();

async function fill(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  await writeFile(join(folder, 'ballast'), Buffer.alloc(bavail * bsize)).catch(() => undefined);
}

test('returns 503 to devices while the disk is full, and recovers after space is freed', async (t) => {
  const folder = await testFolder(t, { 'disk/.keep': '' });
  const disk = folder.at('disk');
  const mounted = await execa('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk], { reject: false });
  if (mounted.failed) {
    t.log(`not tested: ${mounted.stderr}`);
    t.pass();
    return;
  }
  t.teardown(() => execa('umount', ['--lazy', disk]));
  const server = await startTestServer(t, { data: join(disk, 'data') });
  const [old, young] = [
    await testBuild({ version: '1.0', signer }),
    await testBuild({ version: '2.0', signer, seed: 2 }),
  ];
  t.is((await server.publish(old)).status, 201);

  await fill(disk);
  t.is((await server.publish(young)).status, 409, 'the upload failed, so the artifact is missing');
  const token = await server.api('POST', '/tokens', { roles: ['read'], name: 'x'.repeat(60) });
  t.true([201, 507].includes(token.status), String(token.status));
  let isFull = token.status === 507;
  for (let count = 0; count < 200 && !isFull; count++) {
    isFull = (await server.api('POST', '/tokens', { roles: ['read'], name: 'x'.repeat(60) })).status === 507;
  }
  t.true(isFull);
  for (let count = 1; count < 20; count++) {
    const mac = `02:00:00:00:00:${String(count).padStart(2, '0')}`;
    t.is(
      (await requestAsDevice(server.port, '/update/door', { mac })).status,
      503,
      'an update is not sent if the attempt cannot be recorded',
    );
  }
  const runs = { sketchMd5: sketchMd5Of(old.manifest), mac: '02:00:00:00:01:00' };
  t.is((await requestAsDevice(server.port, '/update/door', runs)).status, 503, 'the decision cannot be saved');

  await rm(join(disk, 'ballast'));
  t.is((await server.publish(young)).status, 201);
  const response = await requestAsDevice(server.port, '/update/door', { mac: '02:00:00:00:00:01' });
  t.is(response.status, 200);
  t.is(response.header('x-md5'), response.md5);
  const next = await server.restart();
  t.is((await requestAsDevice(next.port, '/update/door', { sketchMd5: sketchMd5Of(young.manifest) })).status, 304);
});

/** A flood of requests that all report the same MAC, at two servers on one PostgreSQL database. */
import test from 'ava';
import { execa } from 'execa';
import { apiRoot } from '../../../src/api/release.ts';
import { type PostgresCluster, startPostgres } from '../../engines/postgres.ts';
import { testBuild, testSigner } from '../../server/builds.ts';
import { requestAsDevice, updateRequest } from '../../server/raw-device.ts';
import { digestOf, releaseRequest, upload } from '../../server/running-server.ts';
import { testFolder } from '../../support/test-folder.ts';
import { flood } from '../server/flood.ts';
import { cli, serveWith } from '../server/serving-process.ts';

const connections = 4;
const requestsEach = 100;
const forgedMac = '02:00:00:00:00:01';
let cluster: PostgresCluster;

test.before(async () => {
  cluster = await startPostgres();
});

test.after.always(() => cluster?.end());

test('rejects no request of a flood with one MAC, serves another device meanwhile, and keeps the counts right', async (t) => {
  t.timeout(180_000);
  const env = { OTA_DATABASE_URL: await cluster.createDatabase('flood') };
  const data = (await testFolder(t)).at('data');
  const first = await serveWith(data, undefined, { env });
  const second = await serveWith(data, undefined, { env });
  t.teardown(async () => {
    for (const each of [first, second]) each.kill('SIGKILL');
    await Promise.all([first.ended, second.ended]);
  });
  const { url = '', token = '' } = first;
  const ports = [first, second].map((each) => Number(new URL(each.url ?? '').port));
  const build = await testBuild({ version: '1.0', project: 'door', signer: testSigner(), sizeBytes: 8192 });
  for (const bytes of build.files.values()) await upload(url, bytes, token, await digestOf(bytes));
  const request = { headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } };
  const release = { ...request, method: 'POST', body: JSON.stringify(releaseRequest(build.manifest)) };
  t.is((await fetch(`${url}${apiRoot}/projects/door/releases`, release)).status, 201);

  let isOver = false;
  const floods = ports.flatMap((port, process) =>
    Array.from({ length: connections }, (_, connection) =>
      flood(port, requestsEach, (index) =>
        // Each request reports a version of its own, which changes the record. The free space is too small for an update.
        updateRequest('/update/door', {
          ...{ mac: forgedMac, sketchMd5: '0'.repeat(32), freeSpace: 0 },
          version: `9.${process}.${connection}.${index}`,
        }),
      ),
    ),
  );
  const flooding = Promise.all(floods).finally(() => {
    isOver = true;
  });
  const others: number[] = [];
  for (let index = 0; !isOver && index < 200; index++) {
    const mac = `02:00:00:00:01:${index.toString(16).padStart(2, '0').toUpperCase()}`;
    others.push((await requestAsDevice(ports[index % 2] ?? 0, '/update/door', { mac })).status);
  }
  const responses = await flooding;
  t.deepEqual(
    responses,
    floods.map(() => ({ 304: requestsEach })),
    'every request of the flood gets its 304',
  );
  t.true(others.length > 0);
  t.deepEqual(new Set(others), new Set([200]), 'the other devices get the release');
  const found = await fetch(`${url}${apiRoot}/projects/door/devices/${forgedMac}`, request);
  t.regex(await found.text(), /"version":"9\.\d\.\d\.\d+"/);
  // The command counts all devices again, and compares the numbers with the kept ones.
  const check = await execa(process.execPath, [cli, 'server', 'check', '--data', data], {
    env,
    reject: false,
    all: true,
  });
  t.is(check.exitCode, 0, check.all);
});

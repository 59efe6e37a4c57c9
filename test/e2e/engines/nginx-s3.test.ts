/** The nginx template for several servers with a real nginx and a real S3 server: nginx sends the artifacts from the bucket. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { type S3Server, startS3 } from '../../engines/s3.ts';
import { testBuild, testSigner } from '../../server/builds.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { startTestServer } from '../../server/running-server.ts';
import { installMoto } from '../provision/moto.ts';
import { installNginx, startNginx } from '../server/nginx.ts';
import { updateDeviceThrough } from '../server/update-device-through.ts';

const template = fileURLToPath(new URL('../../../templates/server/nginx-s3.conf', import.meta.url));
const signer = testSigner();
const build = await testBuild({ version: '2.0', project: 'door', signer, seed: 2, sizeBytes: 300_000 });
const otherBuild = await testBuild({ version: '1.0', project: 'lamp', signer, seed: 3, sizeBytes: 300_000 });
let s3: S3Server;

test.before(async () => {
  await Promise.all([installMoto(), installNginx()]);
  s3 = await startS3();
});

test.after.always(() => s3?.end());

test('updates a virtual device through nginx, which sends the artifact from the bucket', async (t) => {
  const options = { accelPath: '/blobs', trustedProxies: ['127.0.0.1'], env: s3.env };
  const server = await startTestServer(t, { ...options, blobsUrl: `s3://${s3.bucket}/${randomUUID()}` });
  for (const each of [build, otherBuild]) t.is((await server.publish(each)).status, 201);
  const { host, origin } = new URL(s3.endpoint);
  const site = (await readFile(template, 'utf8'))
    .replace('10.0.0.11:8266 ', `127.0.0.1:${server.port} `)
    // A server that does not run receives no requests.
    .replace('10.0.0.12:8266 ', '127.0.0.1:9 ')
    .replace('https://s3.example.com/', `${origin}/`)
    .replace('Host s3.example.com', `Host ${host}`);
  const { httpPort } = await startNginx(t, site);

  const first = await requestAsDevice(httpPort, '/update/door', { authorization: 'Basic ZXNwOnNlY3JldA==' });
  t.is(first.status, 200, first.body.toString('latin1', 0, 300));
  const values = (name: string) => first.headers.filter(([each]) => each === name).map(([, value]) => value);
  t.deepEqual(values('x-md5'), [first.md5]);
  t.deepEqual(values('x-version'), ['2.0']);
  t.deepEqual(values('content-length'), [String(first.body.length)]);
  t.deepEqual(values('transfer-encoding'), []);
  t.regex(first.header('content-disposition') ?? '', /filename=door\.bin\.signed/);
  t.is((await requestAsDevice(httpPort, '/blobs/ota/')).status, 503, 'the path of the bucket is internal');

  await updateDeviceThrough(t, { httpPort, server, build, signer });

  await s3.cut();
  const cached = await requestAsDevice(httpPort, '/update/door', { mac: '18:FE:34:00:00:02' });
  t.is(cached.status, 200, 'nginx sends the artifact from its cache');
  t.is(cached.header('x-md5'), cached.md5);
  const absent = await requestAsDevice(httpPort, '/update/lamp');
  t.is(absent.status, 503, 'only the bucket has this artifact');
  t.is(absent.header('retry-after'), '60');
  t.is(absent.header('x-md5'), undefined);
});

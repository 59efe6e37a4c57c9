/** Path tricks: no spelling of a path reads a file outside the releases, or another project's record. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { testBuild, testSigner } from '../../server/builds.ts';
import { readResponse, sendRaw } from '../../server/raw-device.ts';
import { startTestServer } from '../../server/running-server.ts';
import { countAttacks } from '../support/attack-counts.ts';
import { inParallel } from '../support/in-parallel.ts';

/**
 *     path    = prefix up step up step target
 *     prefix  = a route that accepts names
 *     up, step = spellings of '..' and of '/'
 *     target  = a file that must stay private
 */
const prefixes = [
  ...[
    '/',
    '/update/',
    '/update/door/',
    '/files/',
    '/files/door/',
    '/files/door/1.0/',
    '/files/door/@stable/',
    '/assets/',
  ],
  ...['/api/v1/uploads/', '/api/v1/projects/', '/api/v1/projects/door/releases/1.0/', '/projects/'],
];
const ups = [
  '..',
  '%2e%2e',
  '.%2e',
  '%2E.',
  '%252e%252e',
  '%c0%ae%c0%ae',
  '%e0%80%ae%e0%80%ae',
  '..%00',
  '....',
  '．．',
  '..;',
  '. .',
];
const steps = ['/', '\\', '%2f', '%5c', '%252f', '%c0%af', '//', '/./'];
const targets = [
  'ota.db',
  'tls/ca.key',
  'etc/passwd',
  'C:\\ota.db',
  'CON',
  'ota.db%00.bin',
  'ota.db::$DATA',
  'nul.bin',
];

test('never serves a private file or returns a 5xx status for a path trick', async (t) => {
  const server = await startTestServer(t, { limits: { failuresPerAddress: 1e9, failuresPerSecond: 1e9 } });
  await server.publish(await testBuild({ version: '1.0', project: 'door', signer: testSigner() }));
  const database = await readFile(join(server.folder, 'ota.db'));
  const magic = database.subarray(0, 16);
  const paths = prefixes.flatMap((prefix) =>
    ups.flatMap((up) =>
      steps.flatMap((step) => targets.map((target) => `${prefix}${`${up}${step}`.repeat(2)}${target}`)),
    ),
  );
  const withstood = await inParallel(paths, async (path) => {
    const { status, body } = readResponse(
      await sendRaw(
        server.port,
        Buffer.from(`GET ${path} HTTP/1.0\r\nAuthorization: Bearer ${server.token}\r\n\r\n`, 'latin1'),
      ),
    );
    const isPrivate = body.includes(magic) || body.includes('root:') || body.includes('PRIVATE KEY');
    const isHandled = status >= 300 && status < 500;
    if (isPrivate || !isHandled) t.fail(`${status} to ${path}`);
    return !isPrivate && isHandled;
  });
  t.is(withstood, paths.length);
  countAttacks({ kind: 'path tricks', tried: paths.length, withstood });
});

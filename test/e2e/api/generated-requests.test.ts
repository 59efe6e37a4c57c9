/** Requests that schemathesis generates from the OpenAPI document of a real server. */
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import { apiRoot } from '../../../src/api/release.ts';
import { documentPath } from '../../../src/server/http/api/open-api.ts';
import { sketchMd5Of, testBuild, testSigner } from '../../server/builds.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { startTestServer, type TestServer } from '../../server/running-server.ts';
import { testFolder } from '../../support/test-folder.ts';
import { schemathesis } from '../provision/schemathesis.ts';

/** A run for one role takes a minute, so `npm run test:e2e` runs only the role that reaches all operations. `npm run test:api` runs all. */
const roles = (process.env['OTA_HOOKS_API_ROLES'] ?? 'admin').split(',');
const seed = process.env['OTA_HOOKS_SEED'] ?? '20260101';
const settings = fileURLToPath(new URL('schemathesis.toml', import.meta.url));

for (const role of roles) {
  test(`responds to 50 generated requests an operation as documented (role: ${role})`, async (t) => {
    t.timeout(30 * 60_000);
    const server = await busyServer(t);
    const token = await tokenFor(server, role);
    const checks = ['--checks', 'all', '--max-examples', '50', '--seed', seed, '--continue-on-failure'];
    const output = ['--no-color', '--no-shrink', '--warnings', 'off', '--generation-database', 'none'];
    // By default, a request may take 10 s, and slow generation is an error. Both depend on the speed of the machine.
    const patience = ['--request-timeout', '600', '--suppress-health-check', 'too_slow'];
    const headers = token === undefined ? [] : ['--header', `Authorization: Bearer ${token}`];
    const argv = [
      'run',
      server.url + documentPath,
      '--url',
      server.url + apiRoot,
      ...checks,
      ...output,
      ...patience,
      ...headers,
    ];
    const run = await execa(schemathesis.program, ['--config-file', settings, ...argv], {
      // schemathesis keeps a cache in its working folder.
      cwd: (await testFolder(t)).path,
      all: true,
      reject: false,
    });
    const report = run.all ?? '';
    // A request that the report repeats can be megabytes long.
    t.is(run.exitCode, 0, report.replaceAll(/^(.{1000}).+$/gm, '$1…'));
    t.log(/^ *(\d+) generated.*$/m.exec(report)?.[0].trim());
    t.is(server.parts.counters.failures, 0, 'the server logged no unexpected error');
    if (token !== undefined) t.is((await server.api('GET', '/server', undefined, token)).status, 200);
  });
}

/** Starts a server with releases, a device that has reported, and a rollout. */
async function busyServer(t: ExecutionContext): Promise<TestServer> {
  // The checks of the authentication send thousands of requests with invalid tokens.
  const server = await startTestServer(t, { limits: { failuresPerAddress: 1e9 } });
  const signer = testSigner();
  const first = await testBuild({ version: '1.0.0', project: 'door', signer });
  await server.publish(first);
  await server.publish(await testBuild({ version: '1.1.0', project: 'door', signer, seed: 2 }), { draft: true });
  const mac = '18:FE:34:AA:BB:CC';
  await server.api('PUT', `/projects/door/devices/${mac}`, { name: 'kitchen', group: 'cellar' });
  const report = { mac, sketchMd5: sketchMd5Of(first.manifest), version: '1.0.0' };
  t.is((await requestAsDevice(server.port, '/update/door', report)).status, 304);
  t.is((await server.api('POST', '/projects/door/rollouts', { version: '1.1.0' })).status, 201);
  return server;
}

async function tokenFor({ api }: TestServer, role: string): Promise<string | undefined> {
  if (role === 'none') return undefined;
  const { body } = await api('POST', '/tokens', { roles: [role], channels: ['stable'] });
  return String(body['token']);
}

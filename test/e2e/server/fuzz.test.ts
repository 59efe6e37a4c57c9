/** 100,000 malformed and forged requests, reproducible by seed. */
import test from 'ava';
import fc from 'fast-check';
import { sketchMd5Of, testBuild, testSigner } from '../../server/builds.ts';
import { readResponse, requestAsDevice, sendRaw } from '../../server/raw-device.ts';
import { endIfBroken, forgedDevice, hostileRequests } from '../../server/requests.ts';
import { startTestServer } from '../../server/running-server.ts';

const requests = Number(process.env['OTA_HOOKS_FUZZED'] ?? 100_000);
const batch = 2000;

test(`handles ${requests} fuzzed device and API requests without a 5xx, a crash or unbounded rows`, async (t) => {
  t.timeout(9 * 60_000);
  const limits = { failuresPerAddress: 1e9, newDevicesPerNetwork: 1e9, mostDevices: 5000 };
  const server = await startTestServer(t, { limits });
  const signer = testSigner();
  const build = await testBuild({ version: '1.0', project: 'door', signer });
  await server.publish(build);
  const { body } = await server.api('POST', '/tokens', { roles: ['publish'], name: 'fuzz' });
  const token = String(body['token']);
  const seed = Number(process.env['OTA_HOOKS_SEED'] ?? 20260101);
  const statuses = new Map<number, number>();
  for (let done = 0; done < requests; done += batch) {
    const hostile = fc.sample(hostileRequests(token), { numRuns: (batch * 3) / 4, seed: seed + done });
    const forged = fc.sample(forgedDevice, { numRuns: batch / 4, seed: seed + done + 1 });
    const all = [...hostile, ...forged.map((text) => Buffer.from(text, 'latin1'))];
    const worker = async () => {
      for (let request = all.pop(); request !== undefined; request = all.pop()) {
        const response = readResponse(
          await sendRaw(server.port, request, { during: endIfBroken(request), timeoutMs: 480_000 }),
        );
        statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
        if (response.status >= 500) t.fail(`${response.line} to ${JSON.stringify(request.toString('latin1'))}`);
      }
    };
    await Promise.all(Array.from({ length: 16 }, worker));
  }
  t.is(
    server.parts.counters.failures,
    0,
    JSON.stringify(server.logged.filter(({ level }) => level === 'error').slice(0, 3)),
  );
  t.true((await server.parts.store.devices.count('door')) <= 5000);
  const words = { sketchMd5: sketchMd5Of(build.manifest), mac: '18:FE:34:FF:FF:FF' };
  t.is((await requestAsDevice(server.port, '/update/door', words)).status, 304);
  t.log(Object.fromEntries(statuses), `${Math.round(process.memoryUsage.rss() / 1e6)} MB, including the test`);
});

import test from 'ava';
import { failOverdueDevices } from '../../src/server/services/maintenance.ts';
import { sketchMd5Of, testBuild, testSigner } from './builds.ts';
import { requestAsDevice } from './raw-device.ts';
import { startTestServer, type TestServer } from './running-server.ts';

const signer = testSigner();
const [old, young] = [
  await testBuild({ version: '1.0', project: 'door', signer }),
  await testBuild({ version: '2.0', project: 'door', signer, seed: 2 }),
];
const years = 365 * 86_400_000;
const mac = '18:FE:34:AA:BB:CC';
const realNow = Date.now;

/** Changes the system clock, as an NTP client or an administrator might do. */
function jump(byMs: number): void {
  Date.now = () => realNow() + byMs;
}

async function stateOf(server: TestServer): Promise<unknown> {
  const { body } = await server.api('GET', `/projects/door/devices/${mac}`);
  return (body['attempts'] as readonly { state: string }[] | undefined)?.[0]?.state;
}

test.afterEach.always(() => {
  Date.now = realNow;
});

for (const [where, byMs] of [
  ['ten years ahead', 10 * years],
  ['ten years back', -10 * years],
  ['to 1970', -realNow()],
] as const) {
  test.serial(`keeps attempts, data and tokens valid when the clock jumps ${where}`, async (t) => {
    const server = await startTestServer(t);
    await server.publish(old);
    const runsOld = { mac, sketchMd5: sketchMd5Of(old.manifest) };
    await requestAsDevice(server.port, '/update/door', runsOld);
    t.is((await server.publish(young)).status, 201);
    t.is((await requestAsDevice(server.port, '/update/door', runsOld)).status, 200);

    jump(byMs);
    await failOverdueDevices(server.parts);
    await server.parts.lastSeen.flush();
    t.regex(String(await stateOf(server)), /^(sent|received)$/);
    t.is((await requestAsDevice(server.port, '/update/door', runsOld)).status, 200, 'it may try again');
    const next = await server.restart();
    await failOverdueDevices(next.parts);
    t.regex(String(await stateOf(next)), /^(sent|received)$/, 'a restart changes nothing');
    const runsYoung = { mac, sketchMd5: sketchMd5Of(young.manifest) };
    t.is((await requestAsDevice(next.port, '/update/door', runsYoung)).status, 304);
    t.is(await stateOf(next), 'running');
    t.is((await next.api('GET', '/audit', undefined, server.token)).status, 200);
    const yank = await next.api('POST', '/projects/door/releases/yank', { version: '2.0' }, server.token);
    t.is(yank.status, 200);
  });
}

/** A rollout on a server that is killed at random moments: acknowledged state survives, above all a halt. */
import test, { type ExecutionContext } from 'ava';
import { apiRoot } from '../../../src/api/release.ts';
import type { RolloutAction, RolloutRequest } from '../../../src/api/rollout.ts';
import type { RolloutInfo } from '../../../src/api/rollout-info.ts';
import type { Build } from '../../../src/core/pack/build.ts';
import { sketchMd5Of, testBuild, testSigner } from '../../server/builds.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { releaseRequest, upload } from '../../server/running-server.ts';
import { testFolder } from '../../support/test-folder.ts';
import { type ServingProcess, serveWith } from './serving-process.ts';

const kills = Number(process.env['OTA_HOOKS_ROLLOUT_KILLS'] ?? 30);
const devices = 24;
const signer = testSigner();

interface Client {
  readonly port: number;
  api(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
}

function clientOf(url: string, token: string): Client {
  return {
    port: Number(new URL(url).port),
    async api(method, path, body) {
      const response = await fetch(url + apiRoot + path, {
        method,
        headers: { authorization: `Bearer ${token}` },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: await response.json() };
    },
  };
}

function macOf(index: number): string {
  return `02:00:00:00:01:${index.toString(16).padStart(2, '0').toUpperCase()}`;
}

/** Prepares data with a fleet that runs 1.0, and 2.0 as a draft. */
async function firstServer(t: ExecutionContext): Promise<{ data: string; token: string; old: Build }> {
  const data = (await testFolder(t)).at('data');
  const server = await serveWith(data);
  const [url = '', token = ''] = [server.url, server.token];
  const client = clientOf(url, token);
  const [old, fresh] = [
    await testBuild({ version: '1.0', project: 'door', signer, seed: 1, sizeBytes: 8192 }),
    await testBuild({ version: '2.0', project: 'door', signer, seed: 2, sizeBytes: 8192 }),
  ];
  for (const [build, draft] of [
    [old, false],
    [fresh, true],
  ] as const) {
    for (const bytes of build.files.values()) await upload(url, bytes, token);
    await client.api('POST', '/projects/door/releases', releaseRequest(build.manifest, { draft }));
  }
  for (let index = 0; index < devices; index++) {
    await client.api('PUT', `/projects/door/devices/${macOf(index)}`, { enrolled: true });
  }
  server.kill('SIGTERM');
  await server.ended;
  return { data, token, old };
}

/** Starts the rollout. An earlier server may have started the rollout before it was killed. */
async function idOfStarted(client: Client, request: RolloutRequest): Promise<number> {
  const path = '/projects/door/rollouts';
  const started = await client.api('POST', path, request);
  if (started.status !== 409) return (started.body as RolloutInfo).id;
  const { body } = await client.api('GET', path);
  const [first] = (body as { rollouts: RolloutInfo[] }).rollouts;
  if (first === undefined) throw new Error('the active rollout is not listed');
  return first.id;
}

/**
 * Repeats a step and kills the server at a random moment during the last repetition, which then fails or ends just before the kill. The
 * duration of the previous step limits the delay.
 */
async function untilKilled(server: ServingProcess, steps: number, step: () => Promise<void>): Promise<void> {
  let usualMs = 0;
  for (let done = 1; done < steps; done++) {
    const startedAt = performance.now();
    await step();
    usualMs = performance.now() - startedAt;
  }
  const timer = setTimeout(() => server.kill('SIGKILL'), Math.random() * usualMs);
  await step().catch(() => undefined);
  await server.ended;
  clearTimeout(timer);
}

const actionTo: Readonly<Record<string, RolloutAction>> = { active: 'pause', paused: 'resume' };

test.serial(`keeps the acknowledged rollout state when killed ${kills} times during pause and resume`, async (t) => {
  t.timeout(5 * 60_000);
  const { data, token, old } = await firstServer(t);
  const request: RolloutRequest = {
    version: '2.0',
    stages: [{ share: 100 }],
    // The devices download 2.0 repeatedly and never run it. This must not halt the rollout, since this test is about pauses.
    halt: { failures: 900, failurePercent: 100, notConfirmed: 900, minimumSample: 900 },
  };
  let acknowledged = '';
  /** The step that was requested but not acknowledged. It may or may not be in effect. */
  let pending = '';
  let id = 0;
  for (let count = 0; count <= kills; count++) {
    const server = await serveWith(data);
    t.teardown(() => server.kill('SIGKILL'));
    if (server.url === undefined) throw new Error('the server does not start any more');
    const client = clientOf(server.url, token);
    if (id === 0) {
      id = await idOfStarted(client, request);
      acknowledged = 'active';
    }
    const { body } = await client.api('GET', `/projects/door/rollouts/${id}`);
    const { state } = body as RolloutInfo;
    if (state !== acknowledged && state !== pending)
      t.fail(`the acknowledged state is ${acknowledged}, but the rollout is ${state}`);
    acknowledged = state;
    await untilKilled(server, 2 + (count % 9), async () => {
      const response = await requestAsDevice(client.port, '/update/door', {
        mac: macOf(count % devices),
        sketchMd5: sketchMd5Of(old.manifest),
      });
      if (response.status === 200) t.is(acknowledged, 'active', 'only an active rollout sends updates');
      pending = acknowledged === 'active' ? 'paused' : 'active';
      const action = actionTo[acknowledged] ?? 'resume';
      const { status } = await client.api('POST', `/projects/door/rollouts/${id}/${action}`, {});
      if (status !== 200) t.fail(`${action} returned ${status}`);
      acknowledged = pending;
    });
  }
  t.true(id > 0);
});

test.serial('keeps a halt and the failure counts after kill -9, and stops sending the release', async (t) => {
  t.timeout(5 * 60_000);
  const { data, token, old } = await firstServer(t);
  const request: RolloutRequest = {
    version: '2.0',
    stages: [{ share: 100 }],
    halt: { failures: 4, failurePercent: 100, minimumSample: 900 },
  };
  let id = 0;
  let isHalted = false;
  let sends = 0;
  let rounds = 0;
  let visits = 0;
  for (; rounds < 200 && !isHalted; rounds++) {
    const server = await serveWith(data);
    t.teardown(() => server.kill('SIGKILL'));
    if (server.url === undefined) throw new Error('the server does not start any more');
    const client = clientOf(server.url, token);
    if (id === 0) id = await idOfStarted(client, request);
    await untilKilled(server, 2 + (rounds % 5), async () => {
      if (isHalted) return;
      // The device downloads the release and keeps running 1.0: a failure after three attempts.
      const words = { mac: macOf(Math.floor(visits / 4) % 5), sketchMd5: sketchMd5Of(old.manifest) };
      const { status } = await requestAsDevice(client.port, '/update/door', words);
      if (status === 0) throw new Error('the server closed the connection');
      if (status === 200) sends++;
      const { body } = await client.api('GET', `/projects/door/rollouts/${id}`);
      isHalted = (body as RolloutInfo).state === 'halted';
      visits++;
    });
  }
  t.true(isHalted, `not halted after ${rounds} rounds and ${sends} downloads`);
  t.true(sends <= 5 * 3, `${sends} downloads: failure counts were lost`);
  for (let round = 0; round < 5; round++) {
    const server = await serveWith(data);
    t.teardown(() => server.kill('SIGKILL'));
    const client = clientOf(server.url ?? '', token);
    for (let index = 0; index < devices; index++) {
      const words = { mac: macOf(index), sketchMd5: sketchMd5Of(old.manifest) };
      t.is((await requestAsDevice(client.port, '/update/door', words)).status, 304);
    }
    t.is(((await client.api('GET', `/projects/door/rollouts/${id}`)).body as RolloutInfo).state, 'halted');
    server.kill('SIGKILL');
    await server.ended;
  }
});

import { createHash, randomBytes } from 'node:crypto';
import type { ExecutionContext } from 'ava';
import type { CredentialsRequest, CredentialsResponse } from '../../../src/api/device-credentials.ts';
import type { RolloutRequest } from '../../../src/api/rollout.ts';
import type { RolloutInfo } from '../../../src/api/rollout-info.ts';
import type { Build } from '../../../src/core/pack/build.ts';
import { sketchMd5Of, testBuild, testSigner } from '../../server/builds.ts';
import { type DeviceWords, type RawResponse, requestAsDevice } from '../../server/raw-device.ts';
import { startTestServer, type TestServer } from '../../server/running-server.ts';

const signer = testSigner();
const buildOf = (version: string, seed: number) =>
  testBuild({ version, project: 'door', signer, seed, sizeBytes: 8192 });

/** Release that the devices run, and the draft that is rolled out. */
export const [running, draft] = [await buildOf('1.0', 1), await buildOf('2.0', 2)];

export function macOf(index: number): string {
  return `02:00:00:00:00:${index.toString(16).padStart(2, '0').toUpperCase()}`;
}

/** Addresses of the attacker. The devices themselves use 127.0.0.1. */
export function attackerAddresses(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `127.0.1.${index + 1}`);
}

/** Server with enrolled devices that run 1.0, the current release on stable. The release 2.0 is a draft. */
export async function startFleet(t: ExecutionContext, devices: number): Promise<TestServer> {
  const server = await startTestServer(t, { limits: { failuresPerAddress: 10_000 } });
  t.is((await server.publish(running)).status, 201);
  t.is((await server.publish(draft, { draft: true })).status, 201);
  for (let index = 0; index < devices; index++) {
    await server.api('PUT', `/projects/door/devices/${macOf(index)}`, { enrolled: true, name: `device-${index}` });
    await checkIn(server, index, running);
  }
  return server;
}

/** Sends an update check as a device that runs a build. */
export function checkIn(
  { port }: TestServer,
  index: number,
  { manifest }: Build,
  { path = '/update/door', from, ...words }: DeviceWords & { path?: string; from?: string | undefined } = {},
): Promise<RawResponse> {
  return requestAsDevice(port, path, { mac: macOf(index), sketchMd5: sketchMd5Of(manifest), ...words }, from);
}

export async function startRollout(server: TestServer, request: Partial<RolloutRequest> = {}): Promise<RolloutInfo> {
  const whole: RolloutRequest = { version: '2.0', gate: { soakMs: 0 }, stages: [{ share: 100 }], ...request };
  const { status, body } = await server.api('POST', '/projects/door/rollouts', whole);
  if (status !== 201) throw new Error(JSON.stringify(body));
  return body as unknown as RolloutInfo;
}

/** Evaluates the rollout as the server does every second, and returns its state. */
export async function maintained(server: TestServer, id: number): Promise<RolloutInfo> {
  await server.parts.rollouts.maintain();
  return (await server.api('GET', `/projects/door/rollouts/${id}`)).body as unknown as RolloutInfo;
}

export async function halted(server: TestServer, id: number): Promise<boolean> {
  return (await maintained(server, id)).state === 'halted';
}

/** Authorization header that a device sends (`ESP8266HTTPUpdate::setAuthorization`). */
export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** Creates a secret for each device, and returns the headers that contain them. */
export async function createSecrets(
  server: TestServer,
  devices: number,
  options: Partial<CredentialsRequest> = {},
): Promise<{ headers: readonly string[]; response: CredentialsResponse }> {
  const secrets = Array.from({ length: devices }, () => randomBytes(24).toString('base64url'));
  const credentials = secrets.map((secret, index) => {
    return { mac: macOf(index), hash: createHash('sha256').update(secret).digest('hex') };
  });
  const { body } = await server.api('POST', '/projects/door/devices/credentials', { credentials, ...options });
  const headers = secrets.map((secret, index) => basic(macOf(index).replaceAll(':', ''), secret));
  return { headers, response: body as unknown as CredentialsResponse };
}

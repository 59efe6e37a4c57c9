import type { ExecutionContext } from 'ava';
import type { RolloutRequest } from '../../../src/api/rollout.ts';
import type { RolloutInfo } from '../../../src/api/rollout-info.ts';
import { startVirtualDevice } from '../../../src/simulator/index.ts';
import { testBuild, testSigner } from '../../server/builds.ts';
import { startTestServer, type TestServer } from '../../server/running-server.ts';
import { patientTimings } from '../../simulator/patient-timings.ts';

const places = ['kitchen', 'cellar', 'porch', 'garage', 'attic', 'garden', 'hall', 'stairs', 'study', 'workshop'];
/** Names of the thirty devices. */
const names = places.flatMap((place) => ['door', 'light', 'meter'].map((what) => `${place}-${what}`));
const macOf = (index: number) => `5C:CF:7F:51:00:${index.toString(16).padStart(2, '0').toUpperCase()}`;

export interface Rehearsal {
  readonly server: TestServer;
  /** Starts a rollout with three stages and returns its id. */
  begin(): Promise<number>;
  /** Starts all devices except one in the second stage, which rejects the update; `startBroken` starts that device. */
  startDevices(): Promise<{ readonly broken: string; startBroken(): Promise<void> }>;
}

/** A fleet of thirty devices that run 1.4.2, with 1.5.0 published as a draft for a rollout. */
export async function rehearsal(t: ExecutionContext): Promise<Rehearsal> {
  const server = await startTestServer(t);
  const [signer, stranger] = [testSigner(), testSigner()];
  const recipe = { project: 'door', signer, sizeBytes: 64_000 };
  const old = await testBuild({ ...recipe, version: '1.4.2', seed: 1 });
  const young = await testBuild({ ...recipe, version: '1.5.0', seed: 2 });
  await server.publish(old);
  await server.publish(young, { draft: true });
  for (const [index, name] of names.entries()) {
    const { status } = await server.api('PUT', `/projects/door/devices/${macOf(index)}`, { enrolled: true, name });
    t.is(status, 200);
  }
  const image = old.files.get(old.manifest.image.file);
  if (image === undefined) throw new Error('the build does not contain its image');

  const startDevice = async (index: number, isBroken: boolean) => {
    const device = await startVirtualDevice({
      image,
      mac: macOf(index),
      seed: index + 1,
      publicKey: isBroken ? stranger.publicKey : signer.publicKey,
      manifests: [young.manifest],
      timings: patientTimings,
      updateUrl: `${server.url}/update/door`,
      updateIntervalMs: 700 + 40 * index,
    });
    t.teardown(() => device.close());
  };

  const begin = async () => {
    const request: RolloutRequest = {
      version: '1.5.0',
      stages: [{ canaries: ['kitchen-door', 'porch-light'] }, { share: 40 }, { share: 100 }],
      gate: { runningPercent: 100, soakMs: 3000 },
      halt: { failures: 1 },
    };
    const { status, body } = await server.api('POST', '/projects/door/rollouts', request);
    t.is(status, 201, JSON.stringify(body));
    // The API returns the rollout.
    return (body as unknown as RolloutInfo).id;
  };

  return {
    server,
    begin,
    async startDevices() {
      const broken = await firstOfStage(server, 2);
      const others = names.flatMap((name, index) => (name === broken ? [] : [index]));
      await Promise.all(others.map((index) => startDevice(index, false)));
      return { broken, startBroken: () => startDevice(names.indexOf(broken), true) };
    },
  };
}

async function firstOfStage({ parts }: TestServer, stage: number): Promise<string> {
  for (const { record } of await parts.records.list('door', { limit: names.length })) {
    if (parts.rollouts.ofDevice(record)?.stage === stage) return record.name ?? '';
  }
  throw new Error(`stage ${stage} contains no device`);
}

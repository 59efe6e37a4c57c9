import type { ExecutionContext } from 'ava';
import type { DeviceInfo } from '../../../src/api/admin-info.ts';
import type { Build } from '../../../src/core/pack/build.ts';
import { startVirtualDevice } from '../../../src/simulator/index.ts';
import type { testSigner } from '../../server/builds.ts';
import type { TestServer } from '../../server/running-server.ts';
import { patientTimings } from '../../simulator/patient-timings.ts';
import { endlessMs } from '../../support/patience.ts';

interface Update {
  /** Port of a reverse proxy in front of the server. */
  readonly httpPort: number;
  readonly server: Pick<TestServer, 'api'>;
  /** Release 2.0 of the project `door`. */
  readonly build: Build;
  readonly signer: ReturnType<typeof testSigner>;
}

/** Updates a virtual device through a reverse proxy, and requires that the server records the update. */
export async function updateDeviceThrough(
  t: ExecutionContext,
  { httpPort, server, build, signer }: Update,
): Promise<void> {
  await using device = await startVirtualDevice({
    image: { sizeBytes: 40_000, seed: 9 },
    publicKey: signer.publicKey,
    timings: patientTimings,
    updateUrl: `http://127.0.0.1:${httpPort}/update/door`,
    updateIntervalMs: 50,
    manifests: [build.manifest],
  });
  await device.nextEvent(({ event }) => event === 'boot', endlessMs);
  await device.nextEvent(({ event }) => event === 'checked', endlessMs);
  const { body } = await server.api('GET', `/projects/door/devices/${device.mac}`);
  const info = body as unknown as DeviceInfo;
  t.is(info.running?.version, '2.0');
  t.like(info.attempts[0], { state: 'running', sends: 1 });
}

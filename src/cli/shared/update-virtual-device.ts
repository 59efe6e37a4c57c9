import { deliverByEspota } from '../../delivery/espota/deliver.ts';
import type { DeliveryVerdict } from '../../delivery/verdict.ts';
import { quickTimings, startVirtualDevice, syntheticSketch } from '../../simulator/index.ts';

/** Starts a virtual device on a local address and updates it, to check that devices can connect back to that address. */
export async function updateVirtualDevice(
  host: string,
  hostPort: number | undefined,
  signal: AbortSignal,
): Promise<DeliveryVerdict> {
  const device = await startVirtualDevice({ host, timings: quickTimings });
  try {
    return await deliverByEspota(
      { host, port: device.otaPort, hostIp: host, hostPort },
      syntheticSketch({ sizeBytes: 20_000, seed: 2 }),
      { kind: 'sketch', signal, timings: { attempts: 1, callBackMs: 3000, invitationMs: 3000 } },
    );
  } finally {
    await device.close();
  }
}

import type { DeviceContext } from './device-context.ts';
import type { TransferFault } from './faults.ts';
import type { LinkedSocket } from './linked-socket.ts';
import { pauseExactly } from './pause.ts';

/** Injects the configured fault into a transfer. */
export interface FaultyTransfer {
  /** Returns the number of bytes that can be read before the fault. The minimum is 1. */
  bytesUntilFault(countBytes: number): number;
  /** Must be called after `countBytes` have arrived. Triggers the fault if it is due. `over`: nothing more can be sent to the host. */
  reached(countBytes: number): Promise<'on' | 'over'>;
  /** Must be called after the last acknowledgment. Triggers an `after-last-ack` fault. */
  acknowledged(): Promise<'on' | 'over'>;
}

/**
 * Returns the fault injector for one transfer.
 *
 * @param sizeBytes total size of the transfer
 */
export function faultyTransfer(
  device: DeviceContext,
  connection: LinkedSocket,
  fault: TransferFault | undefined,
  sizeBytes: number,
): FaultyTransfer {
  let faultAt = typeof fault?.at === 'number' ? Math.ceil(fault.at * sizeBytes) : Number.POSITIVE_INFINITY;
  return {
    bytesUntilFault: (countBytes) => Math.max(1, faultAt - countBytes),
    async reached(countBytes) {
      if (fault === undefined || countBytes < faultAt) return 'on';
      faultAt = Number.POSITIVE_INFINITY;
      return injectFault(device, connection, fault);
    },
    acknowledged: async () => (fault?.at === 'after-last-ack' ? injectFault(device, connection, fault) : 'on'),
  };
}

async function injectFault(
  device: DeviceContext,
  connection: LinkedSocket,
  fault: TransferFault,
): Promise<'on' | 'over'> {
  switch (fault.what) {
    case 'stall':
      await pauseExactly(fault.stallMs ?? 0, device.restartSignal);
      return 'on';
    case 'reset':
      connection.reset();
      return 'over';
    case 'end':
      await connection.finish();
      return 'over';
    case 'half-open':
      // Simulates a power failure: the device restarts without notifying the host.
      connection.abandon(device.closeSignal);
      device.restart();
      throw new Error('The device restarted.');
  }
}

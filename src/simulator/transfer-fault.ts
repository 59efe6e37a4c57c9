import type { TransferFault } from './faults.ts';
import type { LinkedSocket } from './linked-socket.ts';
import { pause } from './pause.ts';
import type { Esp } from './services.ts';

/** A transfer in which something goes wrong at some point. */
export interface AfflictedTransfer {
  /** How many bytes may still be read before something happens. */
  bytesUntilStrike(countBytes: number): number;
  /** To be called when so many bytes have arrived. over: nothing more can be said to the host. */
  reached(countBytes: number): Promise<'on' | 'over'>;
  /** The same behind the last acknowledgement. */
  acknowledged(): Promise<'on' | 'over'>;
}

/** @param sizeBytes of the whole transfer */
export function afflictedTransfer(
  esp: Esp,
  connection: LinkedSocket,
  fault: TransferFault | undefined,
  sizeBytes: number,
): AfflictedTransfer {
  let strikeAt = typeof fault?.at === 'number' ? Math.ceil(fault.at * sizeBytes) : Number.POSITIVE_INFINITY;
  return {
    bytesUntilStrike: (countBytes) => Math.max(1, strikeAt - countBytes),
    async reached(countBytes) {
      if (fault === undefined || countBytes < strikeAt) return 'on';
      strikeAt = Number.POSITIVE_INFINITY;
      return strike(esp, connection, fault);
    },
    acknowledged: async () => (fault?.at === 'after-last-ack' ? strike(esp, connection, fault) : 'on'),
  };
}

async function strike(esp: Esp, connection: LinkedSocket, fault: TransferFault): Promise<'on' | 'over'> {
  switch (fault.what) {
    case 'stall':
      await pause(fault.stallMs ?? 0, esp.life);
      return 'on';
    case 'reset':
      connection.reset();
      return 'over';
    case 'end':
      await connection.finish();
      return 'over';
    case 'half-open':
      // What leaves a connection half open is a device that lost its power: the host hears nothing, and the device starts anew.
      connection.abandon(esp.closing);
      esp.restart();
      throw new Error('The device restarted.');
  }
}

import { createHash } from 'node:crypto';
import { attemptRepeatedly } from '../attempts.ts';
import type { DeliveryOptions, DeliveryTarget } from '../delivery.ts';
import { ProgressReport } from '../progress.ts';
import { resolveHost } from '../resolve-host.ts';
import { defaultTimings } from '../timings.ts';
import type { DeliveryVerdict } from '../verdict.ts';
import { invitationDatagram } from './datagrams.ts';
import { HostSockets } from './host-sockets.ts';
import { invite } from './invite.ts';
import { sendImage } from './send-image.ts';

const defaultPort = 8266;

/** Delivers an artifact with the ArduinoOTA.cpp protocol, like the core's `tools/espota.py`. */
export async function deliverByEspota(
  target: DeliveryTarget,
  image: Uint8Array,
  options: DeliveryOptions,
): Promise<DeliveryVerdict> {
  const { signal = new AbortController().signal, kind, password } = options;
  const timings = { ...defaultTimings, ...options.timings };
  const devicePort = target.port ?? defaultPort;
  const place = { method: 'espota', port: devicePort } as const;
  const deviceAddress = await resolveHost(target.host, place, timings.lookupMs, signal);
  if (deviceAddress === undefined) return { kind: 'unreachable', reason: `no IPv4 address found for ${target.host}` };
  const sockets = await HostSockets.open({ ...target, deviceAddress, devicePort });
  if (!(sockets instanceof HostSockets)) {
    return { kind: 'unreachable', reason: `no route to ${deviceAddress} (${sockets.noRoute})` };
  }
  const progress = new ProgressReport(image.length, options.onProgress);
  const md5 = createHash('md5').update(image).digest('hex');
  try {
    const invitation = invitationDatagram({ kind, hostPort: sockets.place.port, sizeBytes: image.length, md5 });
    return await attemptRepeatedly(timings, signal, async (budget) => {
      progress.begin();
      sockets.dropResponses();
      const limitMs = budget.limit(timings.retryBudgetMs);
      const invited = await budget.spendDuring(() =>
        invite({ sockets, deviceAddress, devicePort, invitation, password, timings, limitMs, progress, signal }),
      );
      if (invited.outcome !== 'connected') return invited;
      const { connection } = invited;
      try {
        return await sendImage({ connection, image, password, timings, budget, progress, signal });
      } finally {
        sockets.closeConnection();
      }
    });
  } finally {
    sockets.close();
  }
}

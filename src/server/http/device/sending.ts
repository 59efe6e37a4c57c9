import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Artifact } from '../../../core/model/manifest.ts';
import { countIn } from '../../observability/counters.ts';
import { afterInterruption, afterReceipt, attemptOf } from '../../services/devices/attempts.ts';
import { changedRecord } from '../../storage/device-record.ts';
import type { DeviceRecord, ReleaseRecord } from '../../storage/records.ts';
import { sendArtifact } from './downloads.ts';
import type { DeviceParts } from './parts.ts';
import { writeDownloadHead } from './responses.ts';

/** Download of an artifact, with the device and the request that started it. */
export interface Download {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Device with the attempt of this download. */
  readonly device: DeviceRecord;
  readonly release: ReleaseRecord;
  readonly artifact: Artifact;
}

/** Download slot, and the bytes to send or the internal path from which a reverse proxy sends them. */
export interface DownloadSlot {
  readonly body: Uint8Array | { readonly proxyPath: string };
  free(): void;
}

/**
 * Reserves a download slot and loads the bytes. Both happen before the decision is saved, so that an attempt is recorded only if the
 * artifact can be sent.
 */
export async function takeSlot(parts: DeviceParts, artifact: Artifact): Promise<DownloadSlot | 'busy'> {
  const { accelPath, blobs } = parts;
  if (accelPath !== undefined) {
    const proxyPath = `${accelPath}/${await blobs.location(artifact.sha256)}`;
    return { body: { proxyPath }, free: () => undefined };
  }
  if (!parts.downloads.begin()) return 'busy';
  const body = await parts.bytes.acquire(artifact).catch((error: unknown) => {
    parts.downloads.end();
    throw error;
  });
  if (body instanceof Uint8Array) return { body, free: () => free(parts, artifact) };
  parts.downloads.end();
  if (body === undefined) throw new Error(`the bytes of ${artifact.file} are missing or damaged`);
  return body;
}

function free({ bytes, downloads }: DeviceParts, artifact: Artifact): void {
  bytes.release(artifact);
  downloads.end();
}

/** Sends the artifact and records the outcome. The slot is free when the outcome is stored, so a server that stops waits for it. */
export function send(parts: DeviceParts, sending: Download, { body, free }: DownloadSlot): void {
  const { counters, log, outage } = parts;
  const { request, response, device, release, artifact } = sending;
  const { project, mac } = device;
  countIn(counters.responses, 200);
  log.debug({ project, mac, version: release.version, file: artifact.file }, 'Download started');
  if (!(body instanceof Uint8Array)) {
    writeDownloadHead(response, artifact, release.version, { 'X-Accel-Redirect': body.proxyPath });
    response.end();
    return;
  }
  sendArtifact(request, response, { artifact, version: release.version, body, stallMs: parts.downloads.stallMs })
    .then((end) => (end === 'broken' ? noteInterruption(parts, sending) : noteReceipt(parts, sending, body.length)))
    .catch((error: unknown) => {
      if (!outage.note(error)) log.error({ err: error, mac }, 'Could not record the end of a download');
    })
    .finally(free);
}

/** Records that the download broke off, so that it does not count against the limit. If a crash loses the record, the download counts. */
async function noteInterruption({ counters, records }: DeviceParts, { device, release }: Download): Promise<void> {
  counters.downloadsInterrupted++;
  const sends = attemptOf(device.attempts, release.id)?.sends ?? 1;
  await records.changeSaved(device, (record) =>
    changedRecord(record, { attempts: afterInterruption(record.attempts, release.id, sends) }),
  );
}

/** Records that the device received all bytes. If a crash loses the record, the attempt counts as an incomplete download. */
async function noteReceipt(
  { counters, records }: DeviceParts,
  { device, release }: Download,
  sizeBytes: number,
): Promise<void> {
  counters.downloadsCompleted++;
  counters.bytesSent += sizeBytes;
  await records.changeSaved(device, (record) =>
    changedRecord(record, { attempts: afterReceipt(record.attempts, release.id) }),
  );
}

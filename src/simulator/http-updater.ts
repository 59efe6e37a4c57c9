import { httpErrors } from '../core/device-model/device-error.ts';
import { isAtomic } from '../core/device-model/staging.ts';
import { refusalOfHttpClient } from '../core/device-model/transports.ts';
import type { ImageKind } from '../core/model/artifact.ts';
import { compareReleases } from '../core/model/core-name.ts';
import { guardRejections } from '../core/model/guard-rejection.ts';
import type { DeviceContext } from './device-context.ts';
import type { IncomingUpdate } from './device-firmware.ts';
import { writeTime } from './flash-time.ts';
import { type HttpClientOptions, type HttpReply, httpGet } from './http-client.ts';
import { statusErrorText, updateErrorText } from './http-errors.ts';
import { targetOf, type UpdateMode, updateHeaders } from './http-request.ts';
import type { Identity } from './identity.ts';
import { pauseExactly } from './pause.ts';
import { ReceivedBytes } from './received-bytes.ts';
import { faultyTransfer } from './transfer-fault.ts';

export interface HttpUpdaterOptions extends HttpClientOptions {
  /** Update URL: `http://[user:password@]host[:port]/path`, or the same with https. */
  readonly url: string;
  /** Interval from the end of an update check to the start of the next check. */
  readonly intervalMs: number;
  readonly mode: UpdateMode;
  /** Version of the SDK (`ESP.getSdkVersion()`). */
  readonly sdkVersion: string;
}

/** Pause before the body is read, in which `handleUpdate` closes all other connections. */
const closeOthersMs = 100;
const headerBytes = 4;
const largerThanAnyChip = 32 * 1024 * 1024;

/**
 * Checks for updates like a sketch with ESP8266httpUpdate.cpp. The first check runs at startup. Further checks run at an interval, until
 * the device restarts.
 */
export async function pollForUpdates(
  device: DeviceContext,
  identity: Identity,
  options: HttpUpdaterOptions,
): Promise<void> {
  const { restartSignal } = device;
  // Like `rejection` in templates/sketches/HttpUpdate: kept until the next update starts.
  let rejection = 0;
  while (!restartSignal.aborted) {
    await device.inLoop(async () => {
      rejection = (await checkOnce(device, identity, withRejection(options, rejection))) ?? rejection;
    });
    await pauseExactly(options.intervalMs, restartSignal).catch(() => undefined);
  }
}

function withRejection(options: HttpUpdaterOptions, rejection: number): HttpUpdaterOptions {
  if (rejection === 0) return options;
  const url = new URL(options.url);
  url.searchParams.set('rejection', String(rejection));
  return { ...options, url: url.href };
}

/** Checks for an update. @returns code with which the guard rejected the update, 0 if it did not; undefined if no update started */
async function checkOnce(
  device: DeviceContext,
  identity: Identity,
  options: HttpUpdaterOptions,
): Promise<number | undefined> {
  const headers = updateHeaders(device, identity, options.mode, options.sdkVersion);
  const reply = await httpGet(device, targetOf(options.url), headers, options);
  const result = 'error' in reply ? failed(reply.error) : await handle(device, reply, options.mode);
  if ('connection' in reply) await reply.connection.finish();
  switch (result.outcome) {
    case 'nothing-new':
      device.reportCheck(result.status);
      return undefined;
    case 'failed':
      device.reportUpdate('http', result.error);
      return result.rejection;
    case 'crashed':
      device.reportUpdate('http', 'crashed');
      device.restart();
      return undefined;
    case 'updated':
      device.reportUpdate('http');
      if (result.restarts) device.restart();
      return 0;
  }
}

type Result =
  | { readonly outcome: 'nothing-new'; readonly status: number }
  | { readonly outcome: 'failed'; readonly error: string; readonly rejection?: number }
  | { readonly outcome: 'crashed' }
  | { readonly outcome: 'updated'; readonly restarts: boolean };

function failed(error: string, rejection?: number): Result {
  return { outcome: 'failed', error, ...(rejection !== undefined && { rejection }) };
}

/** Handles a response like `handleUpdate`, starting with the status. */
async function handle(device: DeviceContext, reply: HttpReply, mode: UpdateMode): Promise<Result> {
  const { status, sizeBytes, version } = reply.response;
  if (mode === 'version') {
    if (status !== 200) return failed(statusErrorText(status));
    return version === '' ? failed('Server Did Not Report Version') : { outcome: 'nothing-new', status };
  }
  if (status === 304) return { outcome: 'nothing-new', status };
  if (status !== 200) return failed(statusErrorText(status));
  if (sizeBytes <= 0) return failed('Server Did Not Report Size');
  return update(device, reply, mode);
}

async function update(device: DeviceContext, reply: HttpReply, kind: ImageKind): Promise<Result> {
  const { firmware } = device;
  const { sizeBytes, md5, version } = reply.response;
  const delivery: IncomingUpdate = { transport: 'http', kind, sizeBytes, md5: md5 === '' ? undefined : md5, version };
  await pauseExactly(closeOthersMs, device.restartSignal);
  const header = await reply.reader.bytes(headerBytes);
  const refusal = refusalOfHttpClient(firmware.modelDevice, beginning(header, sizeBytes), delivery)?.error;
  const beginError = firmware.errorOfBegin(delivery);
  // The client sets the MD5 after `Update.begin`, so an error of `begin` is reported before an invalid MD5.
  if (refusal !== undefined && refusal.code !== httpErrors.faultyMd5) return failed(refusal.printed);
  if (beginError !== undefined) return failed(updateErrorText(beginError.printed));
  if (refusal !== undefined) return failed(refusal.printed);
  reply.reader.unread(header);
  return concluded(device, delivery, await receive(device, reply, sizeBytes));
}

function concluded(device: DeviceContext, delivery: IncomingUpdate, received: ReceivedBytes): Result {
  const outcome = device.firmware.install(delivery, received);
  if (received.count < delivery.sizeBytes) return failed(updateErrorText('ERROR[6]: Stream Read Timeout'), 0);
  switch (outcome.outcome) {
    case 'rejected': {
      const code = outcome.rejection === undefined ? 0 : guardRejections[outcome.rejection];
      return failed(updateErrorText(outcome.error.printed), code);
    }
    case 'crashed':
      return { outcome: 'crashed' };
    case 'accepted':
      return { outcome: 'updated', restarts: delivery.kind === 'sketch' || isAtomic(device.firmware.modelDevice) };
  }
}

/**
 * Returns an array for the checks before `begin`. The array is as long as the update, and contains the image header if the whole header
 * has arrived.
 */
function beginning(header: Uint8Array, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(Math.min(sizeBytes, largerThanAnyChip));
  if (header.length === headerBytes && bytes.length >= headerBytes) bytes.set(header);
  return bytes;
}

/** Receives data like `UpdaterClass::writeStream`, which does not detect a closed connection and waits until the timeout. */
async function receive(
  device: DeviceContext,
  { connection, reader }: HttpReply,
  sizeBytes: number,
): Promise<ReceivedBytes> {
  const transfer = faultyTransfer(device, connection, device.faults.transfer, sizeBytes);
  const timeoutMs = bodyTimeoutMs(device);
  device.countUpload();
  const received = new ReceivedBytes();
  while (received.count < sizeBytes && (await transfer.reached(received.count)) === 'on') {
    const room = Math.min(transfer.bytesUntilFault(received.count), sizeBytes - received.count);
    const piece = await reader.some(room, timeoutMs);
    if (piece === 'end') await pauseExactly(timeoutMs, device.restartSignal);
    if (typeof piece === 'string') break;
    await writeTime(device, received.count, piece.length);
    received.add(piece);
  }
  return received;
}

/**
 * Returns the timeout for body data. On a real device, the timeout is 60 s in core 3.0.0 and later, and twice the stream timeout in earlier
 * cores.
 */
function bodyTimeoutMs({ firmware, timings }: DeviceContext): number {
  const isNew = compareReleases(firmware.build.core, '3.0.0') >= 0;
  return isNew ? timings.httpBodyTimeoutMs : 2 * timings.httpHeaderTimeoutMs;
}

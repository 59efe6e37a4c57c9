import { connect, isIPv4, type Socket } from 'node:net';
import { awaitConnection } from './await-connection.ts';
import type { DeviceContext } from './device-context.ts';
import type { IncomingUpdate, InstallOutcome } from './device-firmware.ts';
import type { Faults } from './faults.ts';
import { writeTime } from './flash-time.ts';
import type { ReceivedInvitation } from './invitation.ts';
import { LinkedSocket } from './linked-socket.ts';
import { pauseExactly } from './pause.ts';
import { ReceivedBytes } from './received-bytes.ts';
import { type FaultyTransfer, faultyTransfer } from './transfer-fault.ts';

/** Requested upload, the address of the host, and the faults for the upload. */
export interface Upload extends ReceivedInvitation {
  readonly hostAddress: string;
  readonly udpPort: number;
  readonly faults: Faults;
}

/**
 * Runs an upload like `ArduinoOTAClass::_runUpdate` (ArduinoOTA.cpp): checks `Update.begin`, responds over UDP, connects to the host over
 * TCP, acknowledges each piece by sending its length in decimal, and sends `OK` or an error directly after the last acknowledgment.
 */
export async function acceptUpload(
  device: DeviceContext,
  upload: Upload,
  respond: (text: string) => void,
): Promise<void> {
  const { restartSignal, timings, firmware } = device;
  const delivery: IncomingUpdate = {
    transport: 'espota',
    kind: upload.kind,
    sizeBytes: upload.sizeBytes,
    md5: upload.md5,
  };
  const refusal = firmware.errorOfBegin(delivery);
  if (refusal !== undefined) {
    device.reportUpdate('espota', refusal.printed);
    respond(`ERR: ${refusal.printed}${lineEnd(device)}`);
    return pauseExactly(timings.connectPauseMs, restartSignal);
  }
  respond('OK');
  await pauseExactly(timings.connectPauseMs, restartSignal);
  const socket = await callBack(device, upload);
  if (socket === undefined) return rejectBroken(device, delivery, new ReceivedBytes());
  const connection = new LinkedSocket(socket, device.link, restartSignal);
  if (upload.faults.greeting !== undefined) connection.write(upload.faults.greeting);
  const transfer = faultyTransfer(device, connection, upload.faults.transfer, upload.sizeBytes);
  const received = await receive(device, connection, transfer, upload.sizeBytes);
  if (received.count === upload.sizeBytes) {
    await transfer.acknowledged();
    return conclude(device, connection, upload.faults, firmware.install(delivery, received));
  }
  connection.reset();
  await pauseExactly(timings.brokenPauseMs, restartSignal);
  return rejectBroken(device, delivery, received);
}

async function callBack(device: DeviceContext, upload: Upload): Promise<Socket | undefined> {
  if (upload.faults.callBack === 'never') {
    // A firewall drops packets without a response, so the connection attempt times out.
    await pauseExactly(device.timings.connectTimeoutMs, device.restartSignal);
    return undefined;
  }
  // Connecting requires one round trip, for SYN and SYN-ACK.
  await pauseExactly(device.link.rttMs, device.restartSignal);
  const { callBack: callBackFault } = upload.faults;
  const from = typeof callBackFault === 'object' ? callBackFault.from : device.host;
  const localAddress = isIPv4(from) && from !== '0.0.0.0' ? from : undefined;
  if (upload.hostPort === 0) return undefined;
  const socket = connect({ host: upload.hostAddress, port: upload.hostPort, allowHalfOpen: true, localAddress });
  return awaitConnection(device, socket, 'connect');
}

/** Receives data like `Update.write(client)`, until all bytes have arrived or the connection ends. There is no timeout. */
async function receive(
  device: DeviceContext,
  connection: LinkedSocket,
  transfer: FaultyTransfer,
  sizeBytes: number,
): Promise<ReceivedBytes> {
  const received = new ReceivedBytes();
  let state = await transfer.reached(0);
  while (state === 'on' && received.count < sizeBytes) {
    const room = Math.min(transfer.bytesUntilFault(received.count), sizeBytes - received.count);
    const piece = await connection.read(room);
    if (typeof piece === 'string') break;
    await writeTime(device, received.count, piece.length);
    received.add(piece);
    state = await transfer.reached(received.count);
    if (state === 'on') connection.write(String(piece.length));
  }
  return received;
}

/** Sends the result of `Update.end()` to the host. Restarts the device unless the update was rejected. */
async function conclude(
  device: DeviceContext,
  connection: LinkedSocket,
  faults: Faults,
  outcome: InstallOutcome,
): Promise<void> {
  if (outcome.outcome === 'rejected') {
    device.reportUpdate('espota', outcome.error.printed);
    connection.write(`${outcome.error.printed}${lineEnd(device)}`);
    return connection.finish();
  }
  if (outcome.outcome === 'crashed') {
    device.reportUpdate('espota', 'crashed');
    return device.restart();
  }
  await pauseExactly(device.timings.verdictPauseMs, device.restartSignal);
  device.reportUpdate('espota');
  const verdict = faults.verdict ?? { text: 'OK' };
  if (verdict !== 'none') connection.write(verdict.text);
  await pauseExactly(device.timings.closePauseMs, device.restartSignal);
  await connection.finish();
  device.restart();
}

/** Rejects an interrupted upload. The Updater has already written the received bytes, and may have overwritten the filesystem. */
function rejectBroken(device: DeviceContext, delivery: IncomingUpdate, received: ReceivedBytes): void {
  device.firmware.install(delivery, received);
  device.reportUpdate('espota', `the connection was lost after ${received.count} of ${delivery.sizeBytes} bytes`);
}

/** Returns the line ending of `UpdaterClass::printError`: LF since core 3.1.0, CRLF before. */
function lineEnd({ firmware }: DeviceContext): string {
  return firmware.build.capabilities.errorTexts === '3.1' ? '\n' : '\r\n';
}

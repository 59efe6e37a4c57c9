import { connect, isIPv4, type Socket } from 'node:net';
import type { IncomingUpdate, InstallOutcome } from './board.ts';
import { dialled } from './dial.ts';
import type { Faults } from './faults.ts';
import { writeTime } from './flash-time.ts';
import type { ReceivedInvitation } from './invitation.ts';
import { LinkedSocket } from './linked-socket.ts';
import { pauseExactly } from './pause.ts';
import { ReceivedBytes } from './received-bytes.ts';
import type { Esp } from './services.ts';
import { type FaultyTransfer, faultyTransfer } from './transfer-fault.ts';

/** Requested upload, with the sender's address and the faults that apply. */
export interface Upload extends ReceivedInvitation {
  readonly hostAddress: string;
  readonly udpPort: number;
  readonly faults: Faults;
}

/**
 * Runs an upload like `ArduinoOTAClass::_runUpdate` (ArduinoOTA.cpp): checks `Update.begin`, responds on UDP, connects to the host over
 * TCP, acknowledges each piece with its length in decimal, and sends `OK` or an error after the last acknowledgement, without a separator.
 */
export async function acceptUpload(esp: Esp, upload: Upload, answer: (text: string) => void): Promise<void> {
  const { life, timings, board } = esp;
  const delivery: IncomingUpdate = {
    transport: 'espota',
    kind: upload.kind,
    sizeBytes: upload.sizeBytes,
    md5: upload.md5,
  };
  const refusal = board.errorOfBegin(delivery);
  if (refusal !== undefined) {
    esp.reportUpdate('espota', refusal.printed);
    answer(`ERR: ${refusal.printed}${lineEnd(esp)}`);
    return pauseExactly(timings.dialPauseMs, life);
  }
  answer('OK');
  await pauseExactly(timings.dialPauseMs, life);
  const socket = await callBack(esp, upload);
  if (socket === undefined) return rejectBroken(esp, delivery, new ReceivedBytes());
  const connection = new LinkedSocket(socket, esp.link, life);
  if (upload.faults.greeting !== undefined) connection.write(upload.faults.greeting);
  const transfer = faultyTransfer(esp, connection, upload.faults.transfer, upload.sizeBytes);
  const received = await receive(esp, connection, transfer, upload.sizeBytes);
  if (received.count === upload.sizeBytes) {
    await transfer.acknowledged();
    return conclude(esp, connection, upload.faults, board.install(delivery, received));
  }
  connection.reset();
  await pauseExactly(timings.brokenPauseMs, life);
  return rejectBroken(esp, delivery, received);
}

async function callBack(esp: Esp, upload: Upload): Promise<Socket | undefined> {
  if (upload.faults.callBack === 'never') {
    // A firewall drops the packets without a response, so the connection times out.
    await pauseExactly(esp.timings.dialTimeoutMs, esp.life);
    return undefined;
  }
  // SYN and SYN-ACK need one round trip before the device is connected.
  await pauseExactly(esp.link.rttMs, esp.life);
  const { callBack: wanted } = upload.faults;
  const from = typeof wanted === 'object' ? wanted.from : esp.host;
  const localAddress = isIPv4(from) && from !== '0.0.0.0' ? from : undefined;
  if (upload.hostPort === 0) return undefined;
  const socket = connect({ host: upload.hostAddress, port: upload.hostPort, allowHalfOpen: true, localAddress });
  return dialled(esp, socket, 'connect');
}

/** Receives like `Update.write(client)`, until all bytes have arrived or the connection has ended. There is no timeout. */
async function receive(
  esp: Esp,
  connection: LinkedSocket,
  transfer: FaultyTransfer,
  sizeBytes: number,
): Promise<ReceivedBytes> {
  const received = new ReceivedBytes();
  let state = await transfer.reached(0);
  while (state === 'on' && received.count < sizeBytes) {
    const room = Math.min(transfer.bytesUntilStrike(received.count), sizeBytes - received.count);
    const piece = await connection.read(room);
    if (typeof piece === 'string') break;
    await writeTime(esp, received.count, piece.length);
    received.add(piece);
    state = await transfer.reached(received.count);
    if (state === 'on') connection.write(String(piece.length));
  }
  return received;
}

/** Sends the result of `Update.end()` to the host, and restarts the device unless the update was rejected. */
async function conclude(esp: Esp, connection: LinkedSocket, faults: Faults, outcome: InstallOutcome): Promise<void> {
  if (outcome.outcome === 'rejected') {
    esp.reportUpdate('espota', outcome.error.printed);
    connection.write(`${outcome.error.printed}${lineEnd(esp)}`);
    return connection.finish();
  }
  if (outcome.outcome === 'crashed') {
    esp.reportUpdate('espota', 'crashed');
    return esp.restart();
  }
  await pauseExactly(esp.timings.verdictPauseMs, esp.life);
  esp.reportUpdate('espota');
  const verdict = faults.verdict ?? { text: 'OK' };
  if (verdict !== 'none') connection.write(verdict.text);
  await pauseExactly(esp.timings.closePauseMs, esp.life);
  await connection.finish();
  esp.restart();
}

/** Rejects an interrupted upload. The Updater has already written the received bytes, possibly over the filesystem. */
function rejectBroken(esp: Esp, delivery: IncomingUpdate, received: ReceivedBytes): void {
  esp.board.install(delivery, received);
  esp.reportUpdate('espota', `the connection was lost after ${received.count} of ${delivery.sizeBytes} bytes`);
}

/** Returns the line end of `UpdaterClass::printError`: its own since 3.1.0, that of `println` before. */
function lineEnd({ board }: Esp): string {
  return board.build.capabilities.errorTexts === '3.1' ? '\n' : '\r\n';
}

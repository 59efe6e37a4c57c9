import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';

/** Error of a PostgreSQL server: its SQLSTATE and its message. */
type PostgresError = readonly [state: string, message: string];

interface Responses {
  /** Error in response to a login; undefined if the login succeeds. */
  readonly login?: PostgresError | undefined;
  /** Row in response to the first statement: the version number, and whether transactions are read-only. */
  readonly facts?: readonly [version: string, readOnly: 'on' | 'off'];
  /** Error in response to each other statement. */
  readonly later?: PostgresError;
}

/** Starts a server that speaks the protocol of PostgreSQL and only sends prepared responses. Returns its URL. */
export async function postgresResponses(t: ExecutionContext, responses: Responses): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    respond(socket, responses);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  // The address of a TCP server is an AddressInfo.
  return `postgres://ota:hidden-password@127.0.0.1:${(server.address() as AddressInfo).port}/ota`;
}

function respond(
  socket: Socket,
  { login, facts, later = ['42501', 'permission denied for schema public'] }: Responses,
) {
  let hasStarted = false;
  const ready = message('Z', Buffer.from('I'));
  socket.on('data', (bytes) => {
    if (!hasStarted) {
      hasStarted = true;
      if (login !== undefined) return socket.end(errorMessage(login));
      return socket.write(Buffer.concat([message('R', Buffer.alloc(4)), ready]));
    }
    // An X ends the connection.
    if (bytes[0] === 'X'.charCodeAt(0)) return socket.end();
    const isFirst = bytes.includes('server_version_num');
    if (!isFirst || facts === undefined) return socket.write(Buffer.concat([errorMessage(later), ready]));
    const columns = message('T', Buffer.concat([int16(2), column('version', 23), column('readonly', 25)]));
    const row = message('D', Buffer.concat([int16(2), ...facts.map(value)]));
    return socket.write(Buffer.concat([columns, row, message('C', Buffer.from('SELECT 1\0')), ready]));
  });
}

function message(type: string, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from(type), int32(content.length + 4), content]);
}

function errorMessage([state, text]: PostgresError): Buffer {
  return message('E', Buffer.from(`SFATAL\0VFATAL\0C${state}\0M${text}\0\0`));
}

/** Column description: name, table, column number, type, type size, type modifier, text format. */
function column(name: string, type: number): Buffer {
  return Buffer.concat([Buffer.from(`${name}\0`), int32(0), int16(0), int32(type), int16(4), int32(-1), int16(0)]);
}

function value(text: string): Buffer {
  return Buffer.concat([int32(text.length), Buffer.from(text)]);
}

function int32(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(number);
  return bytes;
}

function int16(number: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(number);
  return bytes;
}

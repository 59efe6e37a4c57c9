/**
 * Lower bound for a Node.js server that performs all steps of a download except the decision. It parses the headers, records the attempt,
 * sends the image, logs a line, and determines from the end of the connection whether the device received the whole image. The record is on
 * disk before the image is sent, so that a crash does not lose it. Records that arrive during a disk write form the next transaction.
 */
import { fdatasync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import Database from 'libsql';
import { pino } from 'pino';

const [path, databasePath] = process.argv.slice(2);
const body = readFileSync(path);
const names = ['sta-mac', 'ap-mac', 'free-space', 'sketch-size', 'sketch-md5', 'chip-size', 'sdk-version', 'mode'];
const said = names.map((name) => `x-esp8266-${name}`);
const log = pino(
  { base: null, timestamp: pino.stdTimeFunctions.isoTime },
  { write: (line) => process.stderr.write(line) },
);
const database = new Database(databasePath);
database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
database.exec('CREATE TABLE devices (mac TEXT PRIMARY KEY, doc TEXT) WITHOUT ROWID');
const [begin, commit] = ['BEGIN', 'COMMIT'].map((sql) => database.prepare(sql));
const write = database.prepare('INSERT INTO devices VALUES (?, ?) ON CONFLICT DO UPDATE SET doc = excluded.doc');
const journal = openSync(`${databasePath}-wal`, 'r+');

const devices = new Map();
let waiting = [];
let isFlushing = false;

/** About as much data as is stored about a device. */
function documentOf({ sends, receipts }) {
  const sketch = {
    action: 'send',
    code: `update ${'0'.repeat(64)}`,
    text: 'Update to 1.3.0 (door.bin.signed) sent.',
    version: '1.3.0',
    at: Date.now(),
  };
  const attempt = {
    releaseId: 4,
    version: '1.3.0',
    kind: 'sketch',
    state: 'sent',
    sends,
    receipts,
    lastSentAt: Date.now(),
    dueMs: sends,
  };
  const running = { by: 'md5', version: '0.9.0', releaseId: 1, sinceMs: 1000 };
  return JSON.stringify({
    enrolled: true,
    requestedChannel: 'stable',
    firstSeenAt: 1,
    running,
    decisions: { sketch },
    attempts: [attempt],
  });
}

function record() {
  const batch = waiting;
  waiting = [];
  isFlushing = true;
  begin.run([]);
  for (const { device } of batch) write.run([device.mac, documentOf(device)]);
  commit.run([]);
  fdatasync(journal, (error) => {
    if (error !== null) throw error;
    isFlushing = false;
    if (waiting.length > 0) setImmediate(record);
    for (const each of batch) send(each);
  });
}

function send({ device, request: { socket }, response }) {
  log.info({ project: 'door', mac: device.mac, version: '1.3.0', file: 'door.bin.signed' }, 'sending');
  response.shouldKeepAlive = false;
  response.writeHead(200, {
    'Content-Type': 'application/octet-stream',
    'Content-Disposition': 'attachment; filename=door.bin.signed',
    'x-MD5': '0'.repeat(32),
    'x-version': '1.3.0',
    'Cache-Control': 'no-store',
    'Content-Length': body.length,
  });
  // Half-closed: the device closes the other half after it has received the whole image.
  socket.destroySoon = closeHalf;
  socket.setTimeout(60_000, socket.destroy);
  socket.once('end', () => {
    device.receipts++;
  });
  response.end(body);
}

function closeHalf() {
  this.end();
  this.end = itself;
}

function itself() {
  return this;
}

const server = createServer((request, response) => {
  const { headers } = request;
  if (said.some((name) => headers[name] === undefined)) return response.writeHead(403).end();
  const mac = headers['x-esp8266-sta-mac'];
  const device = devices.get(mac) ?? { mac, sends: 0, receipts: 0 };
  device.sends++;
  devices.set(mac, device);
  if (waiting.length === 0 && !isFlushing) setImmediate(record);
  waiting.push({ device, request, response });
});
const open = new Map();
server.on('connection', (socket) => {
  const { remoteAddress } = socket;
  open.set(remoteAddress, (open.get(remoteAddress) ?? 0) + 1);
  socket.once('close', () => open.set(remoteAddress, open.get(remoteAddress) - 1));
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })}\n`);
});

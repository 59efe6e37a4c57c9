/**
 * node:http that decides nothing and forgets nothing: what a server of node costs at least that writes down which device it sends a file
 * to, so that a crash does not forget it, before it sends it. What comes while the disk is waited for becomes the next transaction.
 */
import { fdatasync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import Database from 'libsql';

const [path, databasePath] = process.argv.slice(2);
const body = readFileSync(path);
/** As much as is known of a device. */
const doc = 'x'.repeat(600);
const database = new Database(databasePath);
database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
database.exec('CREATE TABLE devices (mac TEXT PRIMARY KEY, sent INTEGER, doc TEXT) WITHOUT ROWID');
const [begin, commit] = ['BEGIN', 'COMMIT'].map((sql) => database.prepare(sql));
const write = database.prepare(
  'INSERT INTO devices VALUES (?, 1, ?) ON CONFLICT DO UPDATE SET sent = sent + 1, doc = excluded.doc',
);
const journal = openSync(`${databasePath}-wal`, 'r+');

let waiting = [];
let isFlushing = false;

function record() {
  const batch = waiting;
  waiting = [];
  isFlushing = true;
  begin.run([]);
  for (const { mac } of batch) write.run([mac, doc]);
  commit.run([]);
  fdatasync(journal, (error) => {
    if (error !== null) throw error;
    isFlushing = false;
    if (waiting.length > 0) setImmediate(record);
    for (const { response } of batch) {
      response.writeHead(200, { 'Content-Length': body.length });
      response.end(body);
    }
  });
}

const server = createServer(({ headers }, response) => {
  if (waiting.length === 0 && !isFlushing) setImmediate(record);
  waiting.push({ mac: headers['x-esp8266-sta-mac'], response });
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })}\n`);
});

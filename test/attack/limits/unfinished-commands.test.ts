/** Operations that never end and do not keep the process running: Node.js then exits with code 0, which would report success. */
import test from 'ava';
import { packDoor } from '../../publishing/packed-door.ts';
import { runCli } from '../../support/run-cli.ts';
import { testFolder } from '../../support/test-folder.ts';
import { countAttacks } from '../support/attack-counts.ts';
import { inParallel } from '../support/in-parallel.ts';

/** Replaces functions of Node.js in the process of the CLI, before the CLI starts. */
const preload = `
  import { syncBuiltinESMExports } from 'node:module';
  import files from 'node:fs/promises';
  import http from 'node:http';
  import { EventEmitter } from 'node:events';
  for (const name of ['open', 'readFile', 'readdir', 'stat', 'lstat', 'mkdir', 'writeFile']) {
    const original = files[name];
    // Node.js itself loads modules with these functions, by URL.
    files[name] = (path, ...rest) => (path instanceof URL ? original(path, ...rest) : new Promise(() => undefined));
  }
  http.request = () => Object.assign(new EventEmitter(), { write() {}, end() {}, destroy() {} });
  syncBuiltinESMExports();
`;
const env = {
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}`,
  OTA_SERVER: 'http://127.0.0.1:1',
  OTA_TOKEN: 'x'.repeat(43),
};

const lines = [
  ['keygen'],
  ['header', '--out', 'header.h', '--public-key', 'public.key'],
  ['pack', 'door.bin'],
  ['sign', '--private-key', 'private.key', '--bin', 'door.bin'],
  ['verify', 'door.bin', '--public-key', 'public.key'],
  ['inspect', 'door.bin'],
  ['preflight', 'door.bin'],
  ['upload', 'door.bin', '--host', '127.0.0.1'],
  ['publish', '.', '--to', 'http://127.0.0.1:1', '--project', 'door'],
  ['publish', '.', '--to', 'out'],
  ['server', 'check', '--data', 'data'],
  ['server', 'backup', '--out', 'backup.ndjson', '--data', 'data'],
  ['server', 'backup', '--out', 'backup.ndjson'],
  ['doctor'],
] as const;

test('fails with exit code 70 when an operation that a command waits for never ends', async (t) => {
  const folder = await testFolder(t, await packDoor({ version: '1.0', board: 'd1_mini' }));
  const withstood = await inParallel<readonly string[]>(lines, async (argv) => {
    const { exitCode, stderr } = await runCli(argv, folder.path, env);
    t.is(exitCode, 70, `${argv.join(' ')}: ${stderr}`);
    return t.regex(stderr, /UnfinishedError: the command did not finish/, argv.join(' '));
  });
  t.is(withstood, lines.length);
  countAttacks({ kind: 'operations that never end', tried: lines.length, withstood });
});

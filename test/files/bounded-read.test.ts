import { execFile } from 'node:child_process';
import { closeSync, openSync, truncateSync, writeSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import test from 'ava';
import {
  FileLimitError,
  readFailure,
  readFileOrPipe,
  readRegular,
  readRegularSync,
} from '../../src/files/bounded-read.ts';
import { testFolder } from '../support/test-folder.ts';

const run = promisify(execFile);
/** Windows lacks the named pipes and devices that these tests use. */
const onPosix = process.platform === 'win32' ? test.skip : test;

test('reads regular files of any size up to the limit', async (t) => {
  const folder = await testFolder(t);
  for (const size of [0, 1, 4095, 4096, 4097, 3 * 1024 * 1024 + 1]) {
    const content = Buffer.alloc(size, 'content');
    await writeFile(folder.at('file'), content);
    for (const read of [readFileOrPipe(folder.at('file')), readRegular(folder.at('file'), size)]) {
      t.true((await read).equals(content));
    }
    t.true(readRegularSync(folder.at('file')).equals(content));
  }
});

test('rejects a file above the limit without reading it', async (t) => {
  const folder = await testFolder(t, { file: '' });
  // A sparse file: it occupies no space on the disk.
  truncateSync(folder.at('file'), 1024 ** 4);
  for (const read of [
    () => readFileOrPipe(folder.at('file')),
    () => readRegular(folder.at('file')),
    async () => readRegularSync(folder.at('file')),
  ]) {
    const error = await t.throwsAsync(read, { instanceOf: FileLimitError });
    t.is(error.message, 'it is larger than 256 MB');
  }
});

onPosix('reads files whose size the system does not report', async (t) => {
  t.true((await readFileOrPipe('/proc/self/status')).length > 0);
  t.true(readRegularSync('/proc/self/status').length > 0);
});

onPosix('rejects devices, and also rejects pipes where only files are allowed', async (t) => {
  const folder = await testFolder(t);
  const fifo = folder.at('fifo');
  await run('mkfifo', [fifo]);
  for (const path of ['/dev/zero', '/dev/null', '/dev/tty', fifo]) {
    await t.throwsAsync(readRegular(path), { instanceOf: FileLimitError }, path);
    t.throws(() => readRegularSync(path), { instanceOf: FileLimitError }, path);
    if (path !== fifo) await t.throwsAsync(readFileOrPipe(path), { message: 'it is a device, not a file' }, path);
  }
});

onPosix('reads a pipe whose writer connects later and pauses between writes', async (t) => {
  const folder = await testFolder(t);
  const fifo = folder.at('fifo');
  await run('mkfifo', [fifo]);
  const reading = readFileOrPipe(fifo);
  await run('sh', ['-c', 'exec >"$0"; printf "first "; sleep 0.1; printf second', fifo]);
  t.is((await reading).toString(), 'first second');
});

onPosix('rejects a pipe that has no writer or does not end within the time limit', async (t) => {
  const folder = await testFolder(t);
  const fifo = folder.at('fifo');
  await run('mkfifo', [fifo]);
  const limits = { pipeMs: 50 };
  const message = 'the pipe did not end within 0.05 s';
  await t.throwsAsync(readFileOrPipe(fifo, limits), { instanceOf: FileLimitError, message });
  const writer = openSync(fifo, 'r+');
  t.teardown(() => closeSync(writer));
  writeSync(writer, 'never complete');
  await t.throwsAsync(readFileOrPipe(fifo, limits), { instanceOf: FileLimitError, message });
});

onPosix('rejects a pipe that exceeds the size limit', async (t) => {
  const folder = await testFolder(t);
  const fifo = folder.at('fifo');
  await run('mkfifo', [fifo]);
  const yes = run('sh', ['-c', 'yes >"$0"', fifo]);
  const error = await t.throwsAsync(readFileOrPipe(fifo), { instanceOf: FileLimitError });
  t.is(error.message, 'it is larger than 64 KB');
  // SIGPIPE ends the writer.
  await t.throwsAsync(yes);
});

test('reports system errors with their codes', async (t) => {
  const folder = await testFolder(t, { file: '' });
  for (const [path, code] of [
    [folder.at('gone'), 'ENOENT'],
    [folder.at('file/below'), 'ENOTDIR'],
    [folder.path, 'EISDIR'],
  ] as const) {
    for (const read of [() => readFileOrPipe(path), () => readRegular(path), async () => readRegularSync(path)]) {
      t.is(readFailure(await t.throwsAsync(read)), code);
    }
  }
});

#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { CommanderError } from '@commander-js/extra-typings';
import type { Io } from './commands/io.ts';
import { makeProgram } from './commands/program.ts';
import { OtaError } from './errors.ts';

const internalError = 70;
const interrupted = 130;

const abort = new AbortController();
const argv = process.argv.slice(2);
const io: Io = {
  cwd: process.cwd(),
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  fancy: wantsColours(),
  signal: abort.signal,
  self: { node: process.execPath, cli: fileURLToPath(import.meta.url) },
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    abort.abort();
    process.exitCode = interrupted;
  });
}
// A reader that goes away (`ota-hooks inspect … | head`) is not an error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  await makeProgram(io).parseAsync(argv, { from: 'user' });
} catch (error) {
  process.exitCode = abort.signal.aborted ? interrupted : explain(error);
}

/** An error as one line and a hint; returns the exit code. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (!(error instanceof OtaError)) {
    io.stderr.write(`A bug of ota-hooks; please report it with these lines:\n${error instanceof Error ? error.stack : String(error)}\n`);
    return internalError;
  }
  io.stderr.write(`${io.fancy ? '\u001b[31merror:\u001b[0m' : 'error:'} ${error.message}\n  ${error.hint}\n`);
  return error.exitCode;
}

function wantsColours(): boolean {
  const { env } = process;
  if (argv.includes('--no-color') || (env['NO_COLOR'] ?? '') !== '' || (env['CI'] ?? '') !== '') return false;
  return process.stderr.isTTY === true && env['TERM'] !== 'dumb';
}

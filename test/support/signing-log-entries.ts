import { nextSigningLogEntry, type SigningLogEntry } from '../../src/core/model/signing-log.ts';

interface LogRecipe {
  readonly count: number;
  readonly log?: string;
  readonly project?: string | undefined;
  readonly version?: string;
}

/** Creates the entries of a signing log, with a valid chain. */
export function signingLogEntries({
  count,
  log = exampleLog,
  project = 'door',
  version,
}: LogRecipe): SigningLogEntry[] {
  const entries: SigningLogEntry[] = [];
  for (let index = 0; index < count; index += 1) {
    const facts = { file: 'door.bin.signed', sha256: 'ab'.repeat(32), project, version, key: 'cd'.repeat(32) };
    const more = { log, time: '2026-11-30T12:00:00.000Z', by: 'ada@desk' };
    entries.push(nextSigningLogEntry(entries.at(-1), facts, more));
  }
  return entries;
}

const exampleLog = '7d9f1c52-30c5-4f6b-9a0e-6f1f3f0d2a11';

import { counted } from '../../../core/model/quantity-text.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { readSigningLog, signingLogPath } from '../../../project/record/signing-log.ts';
import { command, commandGroup, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport } from '../../output/report.ts';

/** Commands about signing keys. */
export function declareKeys(declaration: Declaration): void {
  commandGroup(
    declaration,
    'keys',
    'Check the record of what was signed',
    ['ota-hooks keys log verify', 'ota-hooks keys log verify --verbose'],
    [declareLog],
  );
}

function declareLog(declaration: Declaration): void {
  commandGroup(
    declaration,
    'log',
    'Check the record of what was signed',
    ['ota-hooks keys log verify', 'ota-hooks keys log verify --verbose'],
    [declareVerify],
  );
}

const verifyCommand = (declaration: Declaration) =>
  command(declaration, 'verify', 'Check that no entry of the signing log was changed, removed or inserted', [
    'ota-hooks keys log verify',
    'ota-hooks keys log verify --json',
  ]).option('--head <entry:hash>', 'Entry and hash from an earlier check, kept elsewhere: the log must contain it');

function declareVerify(declaration: Declaration): void {
  verifyCommand(declaration).action((options) => verifyLog(options, declaration.io));
}

/** Checks the chain of the user's log, and that it continues an earlier state. */
async function verifyLog(options: OptionsOf<typeof verifyCommand>, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const path = signingLogPath(io);
  if (path === undefined) {
    throw new OtaError('OPTION_INVALID', { option: 'OTA_SIGNING_LOG', value: 'off', expected: 'must name a log' });
  }
  const head = options.head === undefined ? undefined : headFrom(options.head);
  const entries = await readSigningLog(path);
  const last = entries.at(-1);
  if (head !== undefined && entries[head.entry - 1]?.hash !== head.hash) {
    throw new OtaError('SIGNING_LOG_REWRITTEN', { path, entry: head.entry, hasEntry: entries.length >= head.entry });
  }
  const text =
    last === undefined
      ? `${report.path(path)}: no entries`
      : `${report.path(path)}: ${counted(entries.length, 'entry', 'entries')}, head ${last.entry}:${last.hash}`;
  report.result('keys log verify', { log: path, entries: entries.length, head: last?.hash ?? null }, text);
}

/** @throws OtaError OPTION_INVALID */
function headFrom(text: string): { readonly entry: number; readonly hash: string } {
  const [, entry, hash] = /^([1-9]\d{0,8}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (entry !== undefined && hash !== undefined) return { entry: Number(entry), hash };
  throw new OtaError('OPTION_INVALID', {
    option: '--head',
    value: text,
    expected: 'must be an entry and its hash, as `ota-hooks keys log verify` prints them',
  });
}

import * as v from 'valibot';
import { type StateFile, stateFile } from '../../delivery/state-file.ts';
import { OtaError } from '../../errors/ota-error.ts';

const insertion = v.strictObject({ at: v.number(), text: v.string() });

const entrySchema = v.variant('action', [
  v.strictObject({
    action: v.literal('insert'),
    path: v.string(),
    isNew: v.boolean(),
    insertions: v.array(insertion),
    guards: v.optional(v.string()),
  }),
  v.strictObject({
    action: v.literal('keys'),
    privateKey: v.string(),
    publicKey: v.string(),
    /** Fingerprint of the key pair. Undo does not delete a key with a different fingerprint. */
    fingerprint: v.string(),
  }),
  v.strictObject({ action: v.literal('node'), path: v.string() }),
  v.strictObject({ action: v.literal('core'), folder: v.string() }),
]);

const recordSchema = v.strictObject({ version: v.literal(1), entries: v.array(entrySchema) });

/**
 * Action of `init`. Paths inside the project are relative to the project folder and use slashes. An entry is written before the
 * action, so that an interrupted init can be undone. Undo skips actions that were not completed.
 */
export type RecordEntry = v.InferOutput<typeof entrySchema>;

const name = 'init.json';

/**
 * Reads the entries in order. Returns an empty list if no record exists.
 *
 * @throws OtaError INIT_RECORD_DAMAGED
 */
export async function readRecord(folder: string): Promise<readonly RecordEntry[]> {
  const read = await recordFile(folder).read();
  if (read.state === 'absent') return [];
  if (read.state === 'known') return read.value.entries;
  throw new OtaError('INIT_RECORD_DAMAGED', { path: read.path, reason: read.why });
}

export async function writeRecord(folder: string, entries: readonly RecordEntry[]): Promise<void> {
  await recordFile(folder).write({ version: 1, entries: [...entries] });
}

export function recordPath(folder: string): string {
  return recordFile(folder).path;
}

function recordFile(folder: string): StateFile<v.InferOutput<typeof recordSchema>> {
  return stateFile(folder, name, recordSchema);
}

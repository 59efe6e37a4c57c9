import { existsSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RsaPublicKey } from '../../core/keys/public-key.ts';
import { removeFiles, rewriteFile } from '../../files/write.ts';
import { uninstallIdeHooks } from '../build/arduino-ide.ts';
import { loadPrivateKey, loadPublicKey } from '../keys/key-files.ts';
import { fromProject } from './apply-steps.ts';
import { withoutInsertions } from './insertion.ts';
import { type RecordEntry, readRecord, recordPath, writeRecord } from './record.ts';
import { readText, toBytes } from './text-file.ts';

/** Result of undoing one init action. */
export interface UndoResult {
  readonly path: string;
  /**
   * Outcome of undoing an action. `restored`: the previous content was restored. `removed`: a file created by init was deleted. `kept`:
   * the change was kept, see `reason`. `absent`: the change no longer existed.
   */
  readonly outcome: 'restored' | 'removed' | 'kept' | 'absent';
  readonly reason?: string;
}

/**
 * Undoes only the recorded actions, in reverse order. Later changes by users are kept. A key pair is kept unless `deleteKeys` is set,
 * because devices whose firmware contains the key accept no other.
 *
 * @throws OtaError if a file cannot be written, or the record or platform.local.txt is damaged
 */
export async function undoSetup(
  folder: string,
  { deleteKeys, all }: { readonly deleteKeys: boolean; readonly all: boolean },
): Promise<readonly UndoResult[]> {
  const entries = [...(await readRecord(folder))];
  const undone: UndoResult[] = [];
  const kept: RecordEntry[] = [];
  for (let entry = entries.pop(); entry !== undefined; entry = entries.pop()) {
    const outcome = await undoEntry(folder, entry, deleteKeys);
    undone.push(outcome);
    if (outcome.outcome === 'kept') kept.unshift(entry);
    // The record is updated after each step, so that an interrupted undo can resume.
    await writeRecord(folder, [...entries, ...kept]);
  }
  for (const path of stateFilesIn(folder, all)) undone.push(await removeFile(path));
  if (undone.length > 0 && kept.length === 0) await removeRecord(folder);
  return undone;
}

/** Returns the files that commands wrote into `.ota/`. Proven facts about devices and the last release cannot be restored, so only `all` includes them. */
function stateFilesIn(folder: string, all: boolean): readonly string[] {
  const names = ['discovered.json', 'upload.json', ...(all ? ['devices.json', 'released.json'] : [])];
  return names.map((name) => join(dirname(recordPath(folder)), name)).filter((path) => existsSync(path));
}

async function undoEntry(folder: string, entry: RecordEntry, deleteKeys: boolean): Promise<UndoResult> {
  switch (entry.action) {
    case 'insert':
      return undoInsertion(folder, entry);
    case 'keys':
      return undoKeys(folder, entry, deleteKeys);
    case 'node':
      return removeFile(fromProject(folder, entry.path));
    case 'core':
      return undoCore(entry.folder);
  }
}

type Entry<Action extends RecordEntry['action']> = Extract<RecordEntry, { action: Action }>;

async function undoInsertion(folder: string, entry: Entry<'insert'>): Promise<UndoResult> {
  const path = fromProject(folder, entry.path);
  const guarded = entry.guards === undefined ? undefined : fromProject(folder, entry.guards);
  if (guarded !== undefined && existsSync(guarded))
    return { path, outcome: 'kept', reason: `it keeps ${entry.guards} out of git` };
  const present = await readText(path);
  if (present === undefined) return { path, outcome: 'absent' };
  const { text, lost } = withoutInsertions(present, entry.insertions);
  if (entry.isNew && text === '') return removeFile(path);
  if (text !== present) await rewriteFile(path, toBytes(text));
  const reason = 'the inserted text has changed since and is kept';
  if (text === present) return entry.isNew ? { path, outcome: 'kept', reason } : { path, outcome: 'absent' };
  return lost.length === 0 ? { path, outcome: 'restored' } : { path, outcome: 'restored', reason };
}

async function undoKeys(folder: string, entry: Entry<'keys'>, deleteKeys: boolean): Promise<UndoResult> {
  const [path, publicPath] = [fromProject(folder, entry.privateKey), fromProject(folder, entry.publicKey)];
  const present = [path, publicPath].filter((one) => existsSync(one));
  if (present.length === 0) return { path, outcome: 'absent' };
  if (!deleteKeys)
    return {
      path,
      outcome: 'kept',
      reason: 'devices with this key accept no other key; --delete-keys deletes the key',
    };
  const own = await Promise.all([
    isKey(
      loadPrivateKey(path).then(({ publicKey }) => publicKey),
      entry.fingerprint,
    ),
    isKey(loadPublicKey(publicPath), entry.fingerprint),
  ]);
  const made = [path, publicPath].filter((_, index) => own[index] === true);
  await removeFiles(made);
  if (made.length === present.length) return { path, outcome: 'removed' };
  return { path, outcome: 'kept', reason: 'it is not the key that init generated' };
}

/** Returns true if a key has this fingerprint. Returns false if the key cannot be read, because it may be a different key. */
async function isKey(key: Promise<RsaPublicKey>, fingerprint: string): Promise<boolean> {
  return key.then(
    (found) => found.fingerprint === fingerprint,
    () => false,
  );
}

async function removeFile(path: string): Promise<UndoResult> {
  if (!existsSync(path)) return { path, outcome: 'absent' };
  await removeFiles([path]);
  return { path, outcome: 'removed' };
}

async function undoCore(core: string): Promise<UndoResult> {
  const path = core;
  if (!existsSync(core)) return { path, outcome: 'absent' };
  return { path, outcome: (await uninstallIdeHooks(core)) === 'absent' ? 'absent' : 'restored' };
}

/** Removes the record, and its folder if the folder is then empty. */
async function removeRecord(folder: string): Promise<void> {
  await removeFiles([recordPath(folder)]);
  await rmdir(dirname(recordPath(folder))).catch(() => undefined);
}

import { join } from 'node:path';
import * as v from 'valibot';
import { withFileLock } from '../files/file-lock.ts';
import { readOptionalFile } from '../files/read.ts';
import { makeFolderOf, writeAtomically } from '../files/write.ts';

/** Folder beside the configuration in which uploads store their state. */
const stateFolder = '.ota';

/** Result of reading a state file: a value, no value yet, or the reason why the file is unusable. */
export type StoredState<Value> =
  | { readonly state: 'known'; readonly value: Value }
  | { readonly state: 'absent' }
  | { readonly state: 'damaged'; readonly path: string; readonly why: string };

/** JSON file with a fixed schema and a version number. */
export interface StateFile<Value> {
  readonly path: string;
  /** @throws OtaError FILE_UNREADABLE */
  read(): Promise<StoredState<Value>>;
  /**
   * Writes the file atomically. A killed process leaves the previous file intact.
   *
   * @throws OtaError FILE_UNWRITABLE
   */
  write(value: Value): Promise<void>;
  /**
   * Changes the stored value. Commands that run at the same time wait for each other, so that no change is lost.
   *
   * @param change receives the stored value
   * @returns the new value
   * @throws OtaError FILE_UNREADABLE, FILE_UNWRITABLE, FILE_LOCKED
   */
  update(change: (stored: StoredState<Value>) => Value): Promise<Value>;
}

export function stateFile<Schema extends v.GenericSchema>(
  folder: string,
  name: string,
  schema: Schema,
): StateFile<v.InferOutput<Schema>> {
  const path = join(folder, stateFolder, name);
  // Writes run in sequence, so that the file contains the last value.
  let latest: Promise<void> = Promise.resolve();
  const read = async (): Promise<StoredState<v.InferOutput<Schema>>> => {
    const bytes = await readOptionalFile(path);
    return bytes === undefined ? { state: 'absent' } : parse(Buffer.from(bytes).toString('utf8'), path, schema);
  };
  const inSequence = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const next = latest.then(work);
    latest = next.then(
      () => undefined,
      () => undefined,
    );
    return next;
  };
  return {
    path,
    read,
    write: (value) => inSequence(() => writeValue(path, value)),
    update: (change) =>
      inSequence(async () => {
        await makeFolderOf(path);
        return withFileLock(path, async () => {
          const value = change(await read());
          await writeValue(path, value);
          return value;
        });
      }),
  };
}

async function writeValue(path: string, value: unknown): Promise<void> {
  await makeFolderOf(path);
  await writeAtomically(path, `${JSON.stringify(value, null, 2)}\n`);
}

function parse<Schema extends v.GenericSchema>(
  text: string,
  path: string,
  schema: Schema,
): StoredState<v.InferOutput<Schema>> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { state: 'damaged', path, why: 'not valid JSON' };
  }
  const result = v.safeParse(schema, json);
  if (result.success) return { state: 'known', value: result.output };
  const [issue] = result.issues;
  return { state: 'damaged', path, why: `${v.getDotPath(issue) ?? 'the document'}: ${issue.message}` };
}

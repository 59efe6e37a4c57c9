import { join } from 'node:path';
import * as v from 'valibot';
import { readOptionalFile } from '../files/read.ts';
import { makeFolderOf, writeAtomically } from '../files/write.ts';

/** What uploads remember between runs lies in this folder, beside the configuration. */
const stateFolder = '.ota';

/** What a file remembers: the value, nothing yet, or why it cannot be trusted. */
export type Remembered<Value> =
  | { readonly state: 'known'; readonly value: Value }
  | { readonly state: 'absent' }
  | { readonly state: 'damaged'; readonly path: string; readonly why: string };

/** A JSON file of one form, with the version of that form in it. */
export interface StateFile<Value> {
  readonly path: string;
  /** @throws OtaError FILE_UNREADABLE */
  read(): Promise<Remembered<Value>>;
  /**
   * Atomic, so that a run that is killed leaves the file as it was.
   *
   * @throws OtaError FILE_UNWRITABLE
   */
  write(value: Value): Promise<void>;
}

export function stateFile<Schema extends v.GenericSchema>(
  folder: string,
  name: string,
  schema: Schema,
): StateFile<v.InferOutput<Schema>> {
  const path = join(folder, stateFolder, name);
  // One after the other, so that what was said last is what remains.
  let latest: Promise<void> = Promise.resolve();
  return {
    path,
    read: async () => {
      const bytes = await readOptionalFile(path);
      return bytes === undefined ? { state: 'absent' } : parse(Buffer.from(bytes).toString('utf8'), path, schema);
    },
    write: (value) => {
      const text = `${JSON.stringify(value, null, 2)}\n`;
      latest = latest.catch(() => undefined).then(() => writeText(path, text));
      return latest;
    },
  };
}

async function writeText(path: string, text: string): Promise<void> {
  await makeFolderOf(path);
  await writeAtomically(path, text);
}

function parse<Schema extends v.GenericSchema>(
  text: string,
  path: string,
  schema: Schema,
): Remembered<v.InferOutput<Schema>> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { state: 'damaged', path, why: 'it is not JSON' };
  }
  const result = v.safeParse(schema, json);
  if (result.success) return { state: 'known', value: result.output };
  const [issue] = result.issues;
  return { state: 'damaged', path, why: `${v.getDotPath(issue) ?? 'the document'}: ${issue.message}` };
}

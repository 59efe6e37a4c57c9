import * as v from 'valibot';

/** Error for a stored document that the server did not write: the database is damaged, or a different program has changed it. */
class DamagedRecordError extends Error {
  override readonly name = 'DamagedRecordError';
  /** Same code as SQLite's error for a damaged database, so that both errors are reported in the same way. */
  readonly code = 'SQLITE_CORRUPT';
}

/**
 * Parses a JSON document from a row that the server wrote.
 *
 * @param what description of the document for error messages
 * @param schema minimum that the caller relies on; the row was written with the complete type
 * @throws DamagedRecordError if the text is not a document that the server wrote
 */
export function storedJson<Document extends object>(
  text: string,
  what: string,
  schema: v.GenericSchema = anyObject,
): Document {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new DamagedRecordError(`${what} is not JSON`, { cause });
  }
  const { success, issues } = v.safeParse(schema, json, { abortEarly: true });
  if (success) return json as Document;
  throw new DamagedRecordError(
    `${what} is invalid: ${v.getDotPath(issues[0]) ?? 'the document'}: ${issues[0].message}`,
  );
}

const anyObject = v.looseObject({});

import { Ajv } from 'ajv';
import type { ExecutionContext } from 'ava';
import { documents } from '../../../src/cli/output/documents/registry.ts';
import { jsonSchemas, schemaFile } from '../../../src/cli/output/json-schemas.ts';

const schemas = jsonSchemas();
// Formats are annotations here, as they are to most validators.
const ajv = new Ajv({ strict: true, validateFormats: false, allErrors: true });

/** Whether the words name a command that prints a document, and no group. */
export function isCommand(words: string): boolean {
  return Object.hasOwn(documents, words);
}

/** What a command printed is one document, of the schema that is shipped for it. */
export function assertDocument(t: ExecutionContext, command: string, text: string): void {
  t.is(complaintAbout(command, text), undefined, text.slice(0, 2000));
}

/** What is wrong with a document by the schema of its command. */
export function complaintAbout(command: string, text: string): string | undefined {
  const schema = schemas[schemaFile(command)];
  if (schema === undefined) throw new Error(`no schema for ${command}`);
  return ajv.validate(schema, JSON.parse(text)) ? undefined : `${command}: ${ajv.errorsText()}`;
}

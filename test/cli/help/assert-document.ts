import { Ajv } from 'ajv';
import type { ExecutionContext } from 'ava';
import { documents } from '../../../src/cli/output/documents/registry.ts';
import { jsonSchemas, schemaFile } from '../../../src/cli/output/json-schemas.ts';

const schemas = jsonSchemas();
// Treats `format` as an annotation, as most validators do.
const ajv = new Ajv({ strict: true, validateFormats: false, allErrors: true });

/** Returns whether the words name a command with JSON output rather than a command group. */
export function isCommand(words: string): boolean {
  return Object.hasOwn(documents, words);
}

/** Asserts that the text is a single JSON document that matches the command's schema in the package. */
export function assertDocument(t: ExecutionContext, command: string, text: string): void {
  t.is(complaintAbout(command, text), undefined, text.slice(0, 2000));
}

/** Returns the schema errors of a document, or undefined if it is valid. */
export function complaintAbout(command: string, text: string): string | undefined {
  const schema = schemas[schemaFile(command)];
  if (schema === undefined) throw new Error(`no schema for ${command}`);
  return ajv.validate(schema, JSON.parse(text)) ? undefined : `${command}: ${ajv.errorsText()}`;
}

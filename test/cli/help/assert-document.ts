import { Ajv } from 'ajv';
import type { ExecutionContext } from 'ava';
import { documents } from '../../../src/cli/output/documents/registry.ts';
import { jsonSchemas, schemaFile } from '../../../src/cli/output/json-schemas.ts';

const schemas = jsonSchemas();
// Formats are annotations here, as they are to most validators.
const ajv = new Ajv({ strict: true, validateFormats: false, allErrors: true });

/** Whether the words name a verb that prints a document, and no group. */
export function isVerb(words: string): boolean {
  return Object.hasOwn(documents, words);
}

/** What a verb printed is one document, of the schema that is shipped for it. */
export function assertDocument(t: ExecutionContext, verb: string, text: string): void {
  t.is(complaintAbout(verb, text), undefined, text.slice(0, 2000));
}

/** What is wrong with a document by the schema of its verb. */
export function complaintAbout(verb: string, text: string): string | undefined {
  const schema = schemas[schemaFile(verb)];
  if (schema === undefined) throw new Error(`no schema for ${verb}`);
  return ajv.validate(schema, JSON.parse(text)) ? undefined : `${verb}: ${ajv.errorsText()}`;
}

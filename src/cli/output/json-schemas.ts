import { toJsonSchema } from '@valibot/to-json-schema';
import type * as v from 'valibot';
import { manifestSchema } from '../../core/model/manifest.ts';
import { configSchema } from '../../project/config/schema.ts';
import { failureDocument } from './documents/failure.ts';
import { documents } from './documents/registry.ts';

/** Returns the JSON schemas in the package, by file name. They are generated from the schemas that the code uses for validation. */
export function jsonSchemas(): Record<string, object> {
  return {
    'ota.config.schema.json': asJson(configSchema),
    'ota.manifest.schema.json': asJson(manifestSchema),
    'output/error.schema.json': asJson(failureDocument),
    ...Object.fromEntries(Object.entries(documents).map(([command, schema]) => [schemaFile(command), asJson(schema)])),
  };
}

/** Returns the schema file name for the --json output of a command, such as `output/server-tokens-list.schema.json`. */
export function schemaFile(command: string): string {
  return `output/${command.replaceAll(' ', '-')}.schema.json`;
}

function asJson(schema: v.GenericSchema): object {
  return toJsonSchema(schema, { errorMode: 'ignore' });
}

import { toJsonSchema } from '@valibot/to-json-schema';
import { manifestSchema } from '../domain/manifest.ts';
import { configSchema } from './schema.ts';

/** The JSON schemas that the package ships, by file name; made from the schemas that the code itself uses. */
export function jsonSchemas(): Record<string, object> {
  return {
    'ota.config.schema.json': toJsonSchema(configSchema, { errorMode: 'ignore' }),
    'ota.manifest.schema.json': toJsonSchema(manifestSchema, { errorMode: 'ignore' }),
  };
}

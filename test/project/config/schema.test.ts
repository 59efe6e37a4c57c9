import { readFile } from 'node:fs/promises';
import test from 'ava';
import * as v from 'valibot';
import { jsonSchemas } from '../../../src/cli/output/json-schemas.ts';
import { configSchema } from '../../../src/project/config/schema.ts';

const example = new URL('../../../ota.config.example.json', import.meta.url);

test('the example configuration is valid and contains every key except the short form of keys', async (t) => {
  const config: unknown = JSON.parse(await readFile(example, 'utf8'));
  const keys = [...Object.keys(v.parse(configSchema, config)), 'publicKey'];
  t.deepEqual(keys.sort(), Object.keys(configSchema.entries).sort());
});

test('the JSON schema for editors describes every key and allows no other keys', (t) => {
  const schema = jsonSchemas()['ota.config.schema.json'];
  const { properties, additionalProperties } = schema as {
    properties: Record<string, { description?: string }>;
    additionalProperties: unknown;
  };
  t.deepEqual(Object.keys(properties).sort(), Object.keys(configSchema.entries).sort());
  t.false(additionalProperties);
  for (const [key, { description }] of Object.entries(properties)) t.truthy(description, key);
});

test('jsonSchemas contains the configuration and manifest schemas in addition to the command output schemas', (t) => {
  const others = Object.keys(jsonSchemas()).filter((name) => !name.startsWith('output/'));
  t.deepEqual(others.sort(), ['ota.config.schema.json', 'ota.manifest.schema.json']);
});

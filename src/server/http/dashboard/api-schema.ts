import type { JsonSchema, OpenApiDocument } from '../api/open-api.ts';

/** Field of a JSON document. The name of a nested field contains its path, such as `stages[].share`. */
export interface SchemaField {
  readonly name: string;
  /** Values that the field accepts. */
  readonly text: string;
  readonly required: boolean;
  readonly description?: string | undefined;
}

/** Lists the fields that a schema describes, each followed by the fields inside it. */
export function schemaFields(schema: JsonSchema, document: OpenApiDocument, prefix = ''): SchemaField[] {
  const { properties = {}, required = [], additionalProperties } = resolved(schema, document);
  const fields = Object.entries(properties).flatMap(([key, property]) =>
    field(schemaOf(property), document, prefix + key, required.includes(key)),
  );
  const others = typeof additionalProperties === 'object' ? additionalProperties : undefined;
  return others === undefined ? fields : [...fields, ...field(others, document, `${prefix}{name}`, false)];
}

function field(schema: JsonSchema, document: OpenApiDocument, name: string, required: boolean): SchemaField[] {
  const own = { name, text: schemaText(schema, document), required, description: schema.description };
  return [own, ...schemaFields(innermost(schema, document), document, `${name}${isArray(schema) ? '[]' : ''}.`)];
}

/** Returns the schema of the items of an array, or the schema besides null. */
function innermost(schema: JsonSchema, document: OpenApiDocument): JsonSchema {
  const found = resolved(schema, document);
  if (isArray(found)) return schemaOf(found.items);
  const besidesNull = found.anyOf?.map(schemaOf).find(({ type }) => type !== 'null');
  return besidesNull ?? found;
}

/** Describes the values that a schema accepts. */
export function schemaText(schema: JsonSchema, document: OpenApiDocument): string {
  const found = resolved(schema, document);
  const { type, anyOf, pattern, default: otherwise } = found;
  if (found.const !== undefined) return JSON.stringify(found.const);
  if (anyOf !== undefined) return anyOf.map((each) => schemaText(schemaOf(each), document)).join(' or ');
  const kind =
    found.enum?.join(' | ') ?? (isArray(found) ? `array of ${itemText(found, document)}` : (type ?? 'any value'));
  const facts = [
    range('characters', found.minLength, found.maxLength),
    range('items', found.minItems, found.maxItems),
    range('entries', found.minProperties, found.maxProperties),
    range('', found.minimum, found.maximum),
    pattern && `matches ${pattern}`,
    otherwise !== undefined && `default ${JSON.stringify(otherwise)}`,
  ];
  return [kind, ...facts.filter(Boolean)].join(', ');
}

function itemText({ items }: JsonSchema, document: OpenApiDocument): string {
  return schemaText(schemaOf(items), document);
}

function range(unit: string, least: number | undefined, most: number | undefined): string | undefined {
  if (least === undefined && most === undefined) return undefined;
  const words =
    most === undefined ? `at least ${least}` : least === undefined ? `at most ${most}` : `${least} to ${most}`;
  return unit === '' ? words : `${words} ${unit}`;
}

function isArray({ type }: JsonSchema): boolean {
  return type === 'array';
}

function schemaOf(definition: JsonSchema['items']): JsonSchema {
  return typeof definition === 'object' && !Array.isArray(definition) ? definition : {};
}

function resolved(schema: JsonSchema, { components }: OpenApiDocument): JsonSchema {
  const { $ref } = schema;
  return ($ref === undefined ? undefined : components.schemas[$ref.replace(/^.*\//, '')]) ?? schema;
}

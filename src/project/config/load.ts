import { statSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import * as v from 'valibot';
import { OtaError } from '../../errors/ota-error.ts';
import { readFailure, readFileOrPipe } from '../../files/bounded-read.ts';
import { isNestedDeeper } from '../../files/json-depth.ts';
import { type ConfigSearch, requireOwnConfig } from './own-config.ts';
import { rootMarker } from './project-root.ts';
import { configRules } from './rules.ts';
import { type Config, configSchema } from './schema.ts';
import type { UserWords } from './user-words.ts';

/** Maximum nesting depth of a configuration. The YAML parser has the same limit. */
const mostLevels = 100;

/** Configuration, and the base folder of its relative paths. */
export interface LoadedConfig {
  readonly config: Config;
  readonly path: string | undefined;
  readonly folder: string;
}

/**
 * Names of configuration files. The files contain only data and are never executed, because a source tree may include an untrusted pull
 * request.
 */
export const configFileNames = [
  'ota.config.json',
  'ota.config.yaml',
  'ota.config.yml',
  '.otarc',
  '.otarc.json',
  '.otarc.yaml',
];

/**
 * Finds and reads the configuration: the file `named`, or else the first configuration file in `source` or a parent folder, up to the
 * project root ({@link rootMarker}).
 *
 * The file names and loaders are from cosmiconfig. The search of cosmiconfig is not used, because it executes `.config/config.js` in the
 * working directory, and files that `$import` names. `hooks/platformio.py` contains the same search.
 *
 * @throws OtaError CONFIG_NOT_FOUND, CONFIG_UNREADABLE, CONFIG_INVALID with all problems and their keys, and those thrown by
 *   {@link requireOwnConfig}
 */
export async function loadConfig(source: string, named: string | undefined, words: UserWords): Promise<LoadedConfig> {
  const start = resolve(source);
  const path = named === undefined ? findOwn(start, words) : resolve(start, named);
  if (path === undefined) return { config: {}, path, folder: start };
  return { config: validate(await parse(path), path), path, folder: dirname(path) };
}

function findOwn(start: string, words: UserWords): string | undefined {
  const search = find(start, words.home);
  requireOwnConfig(search, words);
  return search.path;
}

function find(start: string, home: string): ConfigSearch {
  const marker = rootMarker(start, home);
  const root = marker === undefined ? start : dirname(marker);
  for (let folder = start; ; folder = dirname(folder)) {
    const path = configFileNames.map((name) => join(folder, name)).find(isFile);
    if (path !== undefined || folder === root) return { start, path, marker };
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** Parses a file without validating the content. An empty file is an empty configuration. */
async function parse(path: string): Promise<unknown> {
  const text = await readText(path);
  if (text.trim() === '') return {};
  const { defaultLoaders } = await import('cosmiconfig');
  const load = {
    '.json': defaultLoaders['.json'],
    '.yaml': defaultLoaders['.yaml'],
    '.yml': defaultLoaders['.yml'],
    '': defaultLoaders.noExt,
  }[extname(path)];
  if (load === undefined) {
    throw new OtaError('CONFIG_UNREADABLE', { path, reason: 'its name does not end in .json, .yaml or .yml' });
  }
  if (isNestedDeeper(text, mostLevels)) {
    throw new OtaError('CONFIG_UNREADABLE', { path, reason: `it has more than ${mostLevels} levels` });
  }
  try {
    return load(path, text) ?? {};
  } catch (cause) {
    throw new OtaError('CONFIG_UNREADABLE', { path, reason: await syntaxError(text, cause) }, cause);
  }
}

/** Maximum size of a configuration file, enough for thousands of devices. */
const mostConfigBytes = 4 * 1024 * 1024;

async function readText(path: string): Promise<string> {
  try {
    return (await readFileOrPipe(path, { fileBytes: mostConfigBytes })).toString('utf8').replace(/^\uFEFF/, '');
  } catch (cause) {
    const reason = readFailure(cause);
    if (reason === 'ENOENT') throw new OtaError('CONFIG_NOT_FOUND', { path }, cause);
    throw new OtaError('CONFIG_UNREADABLE', { path, reason }, cause);
  }
}

/** Returns the position of a syntax error and, for YAML, the reason. The surrounding text is omitted, because it may contain a secret. */
async function syntaxError(text: string, cause: unknown): Promise<string> {
  // Errors from js-yaml have these fields; errors from parse-json do not.
  const { reason, mark } = cause as { reason?: string; mark?: { line: number; column: number } };
  if (reason !== undefined) {
    return mark === undefined
      ? reason
      : `YAML syntax error at line ${mark.line + 1}, column ${mark.column + 1}: ${reason}`;
  }
  const { findJsonError } = await import('./json-error.ts');
  const found = findJsonError(text);
  return found === undefined ? 'JSON syntax error' : `JSON syntax error at line ${found.line}, column ${found.column}`;
}

/** Validates a configuration. The error lists all problems: invalid values, unrecognized keys and conflicting keys. */
function validate(config: unknown, path: string): Config {
  if (!isObject(config)) throw new OtaError('CONFIG_INVALID', { path, problems: ['the document must be an object'] });
  const { issues, unknownKeys } = issuesOf(config);
  const problems = [
    ...issues.map(describe),
    ...unknownKeys.map((key) => `${key} is not a known key`),
    // Rules work even if other values are invalid, because a rule checks only the presence and the exact value of a key.
    ...configRules.flatMap((rule) => rule.problems(config as Config)),
  ];
  if (problems.length > 0) throw new OtaError('CONFIG_INVALID', { path, problems });
  return v.parse(configSchema, config);
}

type Issue = v.InferIssue<typeof configSchema>;

/**
 * Collects all issues. valibot reports only the first unrecognized key of an object, so validation is repeated without the reported keys.
 */
function issuesOf(config: object): { issues: readonly Issue[]; unknownKeys: readonly string[] } {
  const rest = structuredClone(config);
  const unknownKeys: string[] = [];
  for (;;) {
    const { issues = [] } = v.safeParse(configSchema, rest);
    const unknown = issues.filter(({ type, expected }) => type === 'strict_object' && expected === 'never');
    if (unknown.length === 0) return { issues, unknownKeys };
    for (const issue of unknown) {
      unknownKeys.push(placeOf(issue));
      const last = issue.path?.at(-1);
      if (last?.type === 'object') delete last.input[String(last.key)];
    }
  }
}

function describe(issue: Issue): string {
  return `${placeOf(issue)} ${issue.message.replace(/^Invalid type: Expected (.*) but received (.*)$/, 'must be $1, but is $2')}`;
}

function placeOf(issue: Issue): string {
  return (v.getDotPath(issue) ?? 'the document').replace(/\.(\d+)/g, '[$1]');
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

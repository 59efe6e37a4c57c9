import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type CosmiconfigResult, cosmiconfig, type Options } from 'cosmiconfig';
import * as v from 'valibot';
import { OtaError } from '../errors.ts';
import { configRules } from './rules.ts';
import { type Config, configSchema } from './schema.ts';

/** A configuration and the folder that its paths are relative to. */
export interface LoadedConfig {
  readonly config: Config;
  readonly path: string | undefined;
  readonly folder: string;
}

/** Data only: a configuration comes with the source tree, and so perhaps from a stranger's pull request; it is never executed. */
export const configFileNames = ['ota.config.json', 'ota.config.yaml', 'ota.config.yml', '.otarc', '.otarc.json', '.otarc.yaml'];

/**
 * Finds and reads the configuration: the named file, or else the first one in `source` or a folder above it, up to the root of the
 * project (a folder with .git or package.json).
 *
 * @throws OtaError CONFIG_NOT_FOUND, CONFIG_UNREADABLE, CONFIG_INVALID with all problems and their places
 */
export async function loadConfig(source: string, named?: string): Promise<LoadedConfig> {
  const found = named === undefined ? await search(source) : await load(resolve(source, named));
  if (found === null || found.isEmpty === true) return { config: {}, path: found?.filepath, folder: resolve(source) };
  return { config: validate(found.config, found.filepath), path: found.filepath, folder: dirname(found.filepath) };
}

const options: Partial<Options> = { searchPlaces: configFileNames, searchStrategy: 'global', cache: false };

async function search(source: string): Promise<CosmiconfigResult> {
  const start = resolve(source);
  const explorer = cosmiconfig('ota', { ...options, stopDir: projectRoot(start) });
  return explorer.search(start).catch((cause) => {
    // cosmiconfig names the file in the errors of its loaders.
    throw unreadable((cause as { filepath?: string }).filepath ?? start, cause);
  });
}

async function load(path: string): Promise<CosmiconfigResult> {
  if (!existsSync(path)) throw new OtaError('CONFIG_NOT_FOUND', { path });
  return cosmiconfig('ota', options)
    .load(path)
    .catch((cause) => {
      throw unreadable(path, cause);
    });
}

function unreadable(path: string, cause: unknown): OtaError {
  const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
  return new OtaError('CONFIG_UNREADABLE', { path, reason: reason.replace(/^JSON Error in [^:]*:\s*/, '') }, cause);
}

function projectRoot(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (['.git', 'package.json'].some((name) => existsSync(join(folder, name)))) return folder;
    if (dirname(folder) === folder) return start;
  }
}

/** All problems together: the schema's and, where the shape is right, those across keys. */
function validate(config: unknown, path: string): Config {
  const result = v.safeParse(configSchema, config);
  if (!result.success) throw new OtaError('CONFIG_INVALID', { path, problems: result.issues.map(describe) });
  const problems = configRules.filter((rule) => rule.broken(result.output)).map((rule) => `${rule.place} ${rule.message}`);
  if (problems.length > 0) throw new OtaError('CONFIG_INVALID', { path, problems });
  return result.output;
}

function describe(issue: v.InferIssue<typeof configSchema>): string {
  const place = v.getDotPath(issue) ?? 'the document';
  if (issue.type === 'strict_object' && issue.expected === 'never') return `${place} is not a known key`;
  if (issue.type === 'strict_object') return `${place} must be an object`;
  return `${place} ${issue.message.replace(/^Invalid type: Expected (.*) but received (.*)$/, 'must be $1, but is $2')}`;
}

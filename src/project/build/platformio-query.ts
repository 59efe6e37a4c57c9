import { dirname } from 'node:path';
import { execa } from 'execa';
import { queryEnvironment } from './child-environment.ts';
import { programHere } from './find-program.ts';
import { platformioProgram } from './platformio.ts';
import type { PlatformioFiles } from './platformio-files.ts';

/** Machine on which PlatformIO may be installed. */
export interface PlatformioPlace {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly signal: AbortSignal;
}

/** Options of a section by name, as PlatformIO evaluates them. Items of a list are on separate lines. */
export type EvaluatedSections = ReadonlyMap<string, ReadonlyMap<string, string>>;

/**
 * Result of a query. `rejected`: PlatformIO cannot build with these files. `failed`: PlatformIO is not installed or did not print the
 * configuration.
 */
export type PlatformioAnswer =
  | { readonly state: 'evaluated'; readonly sections: EvaluatedSections }
  | { readonly state: 'rejected' | 'failed'; readonly reason: string };

/** PlatformIO usually starts in less than a second, but can take up to ten seconds on a slow disk. */
const queryTimeoutMs = 30_000;
/** Output for 400 environments: 80 KB. */
const mostOutputBytes = 32 * 1024 * 1024;

/**
 * Evaluates the options of a project with PlatformIO (`pio project config`). PlatformIO then reads the files, but loads no platform and
 * executes no code of the project. It receives the variables that the files name with `${sysenv.NAME}`, and no other secrets.
 */
export async function queryPlatformio(
  { folder, files }: PlatformioFiles,
  { env, platform, home, signal }: PlatformioPlace,
): Promise<PlatformioAnswer> {
  const name = env['PLATFORMIO_CLI'] ?? platformioProgram(home, platform).name;
  const program = programHere(name, { env, platform, cwd: folder });
  if (program === undefined) return { state: 'failed', reason: 'PlatformIO was not found' };
  const named = files.flatMap(({ text }) =>
    [...text.matchAll(/\$\{sysenv\.([^}]+)\}/g)].map(([, variable]) => variable),
  );
  const needed = Object.entries(env).filter(([variable]) => named.includes(variable));
  const result = await execa(program, ['project', 'config', '--json-output', '--project-dir', folder], {
    cwd: dirname(program),
    env: {
      ...queryEnvironment(env, platform),
      PLATFORMIO_SETTING_ENABLE_TELEMETRY: 'no',
      PYTHONIOENCODING: 'utf-8',
      ...Object.fromEntries(needed),
    },
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    timeout: queryTimeoutMs,
    maxBuffer: mostOutputBytes,
    cancelSignal: signal,
  });
  signal.throwIfAborted();
  if (!result.failed) return evaluated(result.stdout);
  const rejection = rejectionIn(result.stderr);
  if (rejection !== undefined) return { state: 'rejected', reason: rejection };
  const outcome = result.exitCode === undefined ? 'did not end' : `failed with exit code ${result.exitCode}`;
  return { state: 'failed', reason: `PlatformIO ${outcome}` };
}

function evaluated(output: string): PlatformioAnswer {
  try {
    // The output of `ProjectConfig.to_json`: [[section, [[option, value], …]], …].
    const sections = JSON.parse(output) as [string, [string, unknown][]][];
    const entries = sections.map(
      ([name, options]) => [name, new Map(options.map(([option, value]) => [option, textOf(value)]))] as const,
    );
    return { state: 'evaluated', sections: new Map(entries) };
  } catch {
    return { state: 'failed', reason: 'PlatformIO did not print the configuration' };
  }
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? value.join('\n') : String(value ?? '');
}

/** Returns the reason of an error about the configuration, such as `InvalidProjectConfError: Invalid 'FILE' (…): 'REASON'`. */
function rejectionIn(output: string): string | undefined {
  const [, said] = /^(?:\w*Project\w*|Unicode\w*|InvalidEnvName|UnknownEnvNames)Error: ([\s\S]*)/m.exec(output) ?? [];
  const [, reason = said] = /\(project configuration file\): '([\s\S]*)'/.exec(said ?? '') ?? [];
  return reason?.replace(/\s+/g, ' ').trim();
}

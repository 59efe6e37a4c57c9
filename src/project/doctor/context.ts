import { dirname } from 'node:path';
import { execa } from 'execa';
import type { DeliveryVerdict } from '../../delivery/verdict.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { queryEnvironment } from '../build/child-environment.ts';
import { programHere } from '../build/find-program.ts';
import {
  esp8266Environments,
  type ProjectEnvironment,
  type ProjectEnvironments,
} from '../build/hooked-environments.ts';
import { type ProjectSettings, projectSettings } from '../config/settings.ts';
import type { UserWords } from '../config/user-words.ts';
import { findInstallation, type Installation } from '../init/installation.ts';
import { findProject, type Project } from '../init/project.ts';

/** Project and machine to check. */
export interface CheckContext {
  /** Folder to check: the folder in `--source`, or else the working directory. */
  readonly folder: string;
  /** Project; undefined if no project was found or its platformio.ini is invalid. */
  readonly project: Project | undefined;
  /** Error of an invalid platformio.ini. */
  readonly invalid: OtaError | undefined;
  /** Settings of the project, or the error that occurred when reading the configuration. */
  readonly settings: ProjectSettings | OtaError | undefined;
  readonly installation: Installation;
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly node: { readonly path: string; readonly version: string };
  readonly cli: string;
  readonly now: Date;
  readonly signal: AbortSignal;
  /** Formats a path for messages, as a user would write it. */
  path(absolute: string): string;
  /** Runs a program and returns its stdout. Returns undefined if the program is missing, fails or times out. */
  query(program: string, argv: readonly string[]): Promise<string | undefined>;
  /** Updates a virtual device that listens on an address of this machine. */
  updateVirtualDevice(host: string, hostPort: number | undefined, signal: AbortSignal): Promise<DeliveryVerdict>;
}

export interface ContextOptions
  extends Pick<
      CheckContext,
      'folder' | 'platform' | 'env' | 'home' | 'cli' | 'signal' | 'path' | 'updateVirtualDevice'
    >,
    Pick<UserWords, 'userId'> {
  readonly node: string;
}

const queryTimeoutMs = 15_000;

/** Reads the project and creates the context for the checks. */
export async function readContext({ node, userId, ...place }: ContextOptions): Promise<CheckContext> {
  const found = await orUndefined(findProject(place.folder, place));
  const [project, invalid] = found instanceof OtaError ? [undefined, found] : [found, undefined];
  const folder = project?.folder ?? place.folder;
  return {
    ...place,
    project,
    invalid,
    settings:
      project === undefined
        ? undefined
        : await projectSettings({ source: folder }, folder, { ...place, userId }).catch(asOtaError),
    installation: findInstallation(folder, place.cli),
    node: { path: node, version: process.versions.node },
    now: new Date(),
    query: (program, argv) => query(program, argv, place),
  };
}

/** Returns the environments of a PlatformIO project, and those for the ESP8266. */
export function platformioOf(
  context: CheckContext,
): (ProjectEnvironments & { readonly esp8266: readonly ProjectEnvironment[] }) | undefined {
  const found = context.project?.platformio;
  return found === undefined ? undefined : { ...found, esp8266: esp8266Environments(found) };
}

/** Returns the settings of the project if they could be read. */
export function settingsOf({ settings }: CheckContext): ProjectSettings | undefined {
  return settings instanceof OtaError ? undefined : settings;
}

/**
 * Runs a program by its absolute path, in the program's own folder and with a minimal environment. The program cannot read the user's
 * secrets, and project files such as `platformio.ini` do not affect it.
 */
async function query(
  program: string,
  argv: readonly string[],
  { folder, env, platform, signal }: Pick<ContextOptions, 'folder' | 'env' | 'platform' | 'signal'>,
): Promise<string | undefined> {
  const path = programHere(program, { env, platform, cwd: folder });
  if (path === undefined) return undefined;
  const result = await execa(path, argv, {
    cwd: dirname(path),
    env: queryEnvironment(env, platform),
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    timeout: queryTimeoutMs,
    cancelSignal: signal,
  });
  return result.failed ? undefined : result.stdout;
}

/** Returns undefined without a project, because a missing project is not an error in doctor, and the error of an invalid project. */
async function orUndefined<Value>(value: Promise<Value>): Promise<Value | OtaError | undefined> {
  return value.catch((error: unknown) => {
    if (error instanceof OtaError && error.code === 'PLATFORMIO_INI_INVALID') return error;
    if (error instanceof OtaError && error.code !== 'FILE_UNREADABLE') return undefined;
    throw error;
  });
}

function asOtaError(error: unknown): OtaError {
  if (error instanceof OtaError) return error;
  throw error;
}

import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type ImageKind, manifestSuffix } from '../../../core/model/artifact.ts';
import { readManifest } from '../../../core/model/manifest.ts';
import { withoutCopies } from '../../../delivery/present-names.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { findFiles } from '../../../files/find-files.ts';
import { readNamedFile } from '../../../files/read.ts';
import type { PlatformioPlace } from '../../../project/build/platformio-query.ts';
import { isUnhooked, newestUnhookedBuild } from '../../../project/build/unhooked-build.ts';
import type { ProjectSettings } from '../../../project/config/settings.ts';

/** Build in the project that can be sent. */
export interface FoundBuild {
  /** Path of the manifest. */
  readonly path: string;
  /** Name of the folder: a PlatformIO environment, or the board in arduino-cli's build folder. */
  readonly environment: string;
  readonly imageSha256: string;
  readonly mtimeMs: number;
}

/** Selection of a build. */
export interface BuildChoice {
  readonly kind: ImageKind;
  readonly source: string;
  /** Environment that the user passed. */
  readonly environment: string | undefined;
}

/**
 * Returns the manifest of the project's only build. Several builds are an error, because the newest one may be for a different device.
 * Copies of the same image count once.
 *
 * @throws OtaError BUILD_AMBIGUOUS, and errors of {@link listBuilds}
 */
export async function chooseBuild(
  choice: BuildChoice,
  settings: ProjectSettings,
  place: PlatformioPlace,
): Promise<string> {
  const builds = await listBuilds(choice, settings, place);
  const [newest, ...others] = builds;
  if (newest !== undefined && others.every(({ imageSha256 }) => imageSha256 === newest.imageSha256)) return newest.path;
  throw ambiguous(builds);
}

/**
 * Returns the manifests of the project's builds, the newest first. Several can be of the same image.
 *
 * @throws OtaError BUILD_NOT_HOOKED, OPTION_INVALID if no build belongs to `environment`, IMAGES_NONE, MANIFEST_INVALID
 */
export async function listBuilds(
  { kind, source, environment }: BuildChoice,
  settings: ProjectSettings,
  place: PlatformioPlace,
): Promise<readonly FoundBuild[]> {
  const { images: patterns = ['**/*'] } = settings.config;
  const folder = settings.config.images === undefined ? source : settings.folder;
  const paths = await withoutCopies(
    await findFiles({ patterns, folder, suffix: manifestSuffix, project: settings.trust }),
  );
  const found = (await Promise.all(paths.map((path) => candidateAt(path, kind)))).flat();
  const searched = patterns.map((pattern) => pattern + manifestSuffix);
  const unhooked = kind === 'sketch' ? await unhookedBuild(environment, found, source, place) : undefined;
  if (unhooked !== undefined) throw new OtaError('BUILD_NOT_HOOKED', { environment: unhooked });
  if (found.length === 0) throw new OtaError('IMAGES_NONE', { what: `${kind} manifest`, patterns: searched, folder });
  const wanted = found.filter((each) => environment === undefined || each.environment === environment);
  if (environment !== undefined && wanted.length === 0) throw notBuilt(environment, found);
  return wanted.sort((a, b) => b.mtimeMs - a.mtimeMs);
}

/** Returns the error for several builds of which only one can be meant. */
function ambiguous(builds: readonly Pick<FoundBuild, 'path' | 'environment'>[]): OtaError {
  return new OtaError('BUILD_AMBIGUOUS', {
    builds: builds.map(({ path }) => path.slice(0, -manifestSuffix.length)),
    environments: environmentsOf(builds),
  });
}

/** Returns the environment of the selected or newest build if it does not run the hook: such a build has no manifest. */
async function unhookedBuild(
  environment: string | undefined,
  found: readonly FoundBuild[],
  source: string,
  place: PlatformioPlace,
): Promise<string | undefined> {
  if (environment !== undefined) {
    const isBuilt = found.some((each) => each.environment === environment);
    return !isBuilt && (await isUnhooked(environment, source, place)) ? environment : undefined;
  }
  const newest = await newestUnhookedBuild(source, place);
  return newest !== undefined && found.every(({ mtimeMs }) => mtimeMs < newest.mtimeMs)
    ? newest.environment
    : undefined;
}

async function candidateAt(path: string, kind: ImageKind): Promise<readonly FoundBuild[]> {
  const { image } = readManifest(await readNamedFile(path, 'manifest'), path);
  if (image.kind !== kind) return [];
  const { mtimeMs } = await stat(path);
  return [{ path, environment: basename(dirname(path)), imageSha256: image.sha256, mtimeMs }];
}

function notBuilt(environment: string, found: readonly FoundBuild[]): OtaError {
  return new OtaError('OPTION_INVALID', {
    option: '--environment',
    value: environment,
    expected: `must be one with a build: ${environmentsOf(found).join(', ')}`,
    hint: 'Build this environment first, or pass one of the listed environments.',
  });
}

function environmentsOf(builds: readonly Pick<FoundBuild, 'environment'>[]): readonly string[] {
  return [...new Set(builds.map(({ environment }) => environment))].sort();
}

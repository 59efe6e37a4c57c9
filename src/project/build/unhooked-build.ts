import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { manifestSuffix } from '../../core/model/artifact.ts';
import { detectBuildSystem } from './detect.ts';
import { hookedEnvironments, unhookedEnvironments } from './hooked-environments.ts';
import type { PlatformioPlace } from './platformio-query.ts';

/** Image that PlatformIO built in an environment without the hook: not signed, and without a manifest. */
interface UnhookedBuild {
  readonly environment: string;
  readonly mtimeMs: number;
}

/**
 * Returns the newest image that PlatformIO built in an ESP8266 environment without the hook. `upload` and `publish` find builds by their
 * manifests, so they would use an older build of another environment. Returns undefined for other projects and for an invalid
 * platformio.ini.
 */
export async function newestUnhookedBuild(source: string, place: PlatformioPlace): Promise<UnhookedBuild | undefined> {
  if (detectBuildSystem(source) !== 'platformio') return undefined;
  const folder = join(source, '.pio', 'build');
  const names = await readdir(folder).catch(() => []);
  const builds = (await Promise.all(names.map((name) => imageWithoutManifest(folder, name)))).flat();
  // PlatformIO is queried only if an image without a manifest exists, because a query takes a second.
  const unhooked = builds.length === 0 ? new Set() : await unhookedNames(source, place);
  const found = builds.filter(({ environment }) => unhooked.has(environment));
  return found.sort((a, b) => b.mtimeMs - a.mtimeMs)[0];
}

/** Returns whether an environment of a PlatformIO project builds ESP8266 firmware without the hook. */
export async function isUnhooked(environment: string, source: string, place: PlatformioPlace): Promise<boolean> {
  return detectBuildSystem(source) === 'platformio' && (await unhookedNames(source, place)).has(environment);
}

async function unhookedNames(source: string, place: PlatformioPlace): Promise<ReadonlySet<string>> {
  const found = await hookedEnvironments(source, place).catch(() => undefined);
  return new Set(unhookedEnvironments(found?.environments ?? []).map(({ name }) => name));
}

async function imageWithoutManifest(folder: string, environment: string): Promise<readonly UnhookedBuild[]> {
  const image = join(folder, environment, 'firmware.bin');
  const [found, manifest] = await Promise.all(
    [image, image + manifestSuffix].map((path) => stat(path).catch(() => undefined)),
  );
  return found === undefined || manifest !== undefined ? [] : [{ environment, mtimeMs: found.mtimeMs }];
}

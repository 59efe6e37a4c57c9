import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import glob from 'fast-glob';
import { arduinoFolders, findInstalledCores, type InstalledCore } from '../../build/arduino-cores.ts';
import { hasIdeHooks } from '../../build/arduino-ide.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { settingsOf, type World } from '../world.ts';

/**
 * Checks arduino-cli's cache of compiled cores, which shares core.a between all sketches (arduino-cli#2382). The name of an archive ends in
 * the MD5 of the platform's folder and of `compiler.optimization_flags` (`GetCachedCoreArchiveDirName`), which contains our salt and is
 * empty in a plain build. So plain builds link the archive without salt, whatever keys the sketch has.
 */
export const coreCache: Check = {
  about: 'the cache of compiled cores does not un-sign a sketch',
  run: async (world) => {
    const cores = await findInstalledCores(arduinoFolders(world.env, world.platform, world.home));
    const findings = await Promise.all(cores.map((core) => ofCore(core, world)));
    return findings.flat();
  },
};

async function ofCore(core: InstalledCore, world: World): Promise<readonly DoctorFinding[]> {
  // With the hooks inside the core, arduino-cli never uses its cache.
  if (await hasIdeHooks(core.folder)) return [];
  const archives = await plainArchives(core, world);
  const states = await Promise.all(archives.map(verifies));
  const found = (wanted: boolean) => archives.filter((_, index) => states[index] === wanted);
  const name = `core ${core.version ?? '?'}`;
  return [
    ...poisoned(found(true), name),
    ...unsigned(found(false), name, world),
    ...sound(archives, found(true), name),
  ];
}

function poisoned(archives: readonly string[], name: string): readonly DoctorFinding[] {
  return archives.map((archive) => ({
    level: 'warning',
    says: `the cache holds a ${name} that was compiled with signing: sketches without a key would link it`,
    mend: 'arduino-cli cache clean',
    fix: { says: `removed ${dirname(archive)} from the cache`, apply: () => rm(dirname(archive), { recursive: true }) },
  }));
}

function unsigned(archives: readonly string[], name: string, world: World): readonly DoctorFinding[] {
  const isSignedSketch = world.project?.system === 'arduino' && settingsOf(world)?.publicKey !== undefined;
  if (archives.length === 0 || !isSignedSketch) return [];
  const says = `the cache holds a ${name} that checks nothing: a plain build of this sketch would link it, and be signed for show`;
  return [{ level: 'warning', says, mend: 'Build with ota-hooks build, which keeps a core for each key' }];
}

function sound(archives: readonly string[], bad: readonly string[], name: string): readonly DoctorFinding[] {
  if (archives.length === 0 || bad.length > 0) return [];
  return [{ level: 'ok', says: `no ${name} with a key inside is in the cache of plain builds` }];
}

async function plainArchives({ folder }: InstalledCore, world: World): Promise<readonly string[]> {
  const name = createHash('md5').update(folder).digest('hex');
  return glob(`cores/*_${name}/core.a`, { cwd: cacheFolder(world), absolute: true });
}

/** Returns whether the Updater in the archive refers to the verifier. */
async function verifies(archive: string): Promise<boolean> {
  return (await readFile(archive)).includes('updaterSigningVerifier');
}

/** Returns the cache folder of arduino-cli 1.x and the IDE. Their configuration files, which may name another folder, are not read. */
function cacheFolder({ env, platform, home }: World): string {
  const places = {
    darwin: join(home, 'Library', 'Caches'),
    win32: env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'),
  };
  const own =
    platform === 'darwin' || platform === 'win32' ? places[platform] : (env['XDG_CACHE_HOME'] ?? join(home, '.cache'));
  return env['ARDUINO_BUILD_CACHE_PATH'] ?? join(own, 'arduino');
}

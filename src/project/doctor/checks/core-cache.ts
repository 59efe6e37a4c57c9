import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import glob from 'fast-glob';
import { readRegular } from '../../../files/bounded-read.ts';
import { arduinoFolders, findInstalledCores, type InstalledCore } from '../../build/arduino-cores.ts';
import { hasIdeHooks } from '../../build/arduino-ide.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { type CheckContext, settingsOf } from '../context.ts';

/**
 * Checks arduino-cli's cache of compiled cores, which shares core.a between all sketches (arduino-cli#2382). An archive's name ends in an
 * MD5 of the platform folder and `compiler.optimization_flags` (`GetCachedCoreArchiveDirName`). `ota-hooks build` adds a salt to these
 * flags. A plain build links the archive without a salt, regardless of the sketch's keys.
 */
export const coreCache: Check = async (context) => {
  const cores = await findInstalledCores(arduinoFolders(context.env, context.platform, context.home));
  const findings = await Promise.all(cores.map((core) => ofCore(core, context)));
  return findings.flat();
};

async function ofCore(core: InstalledCore, context: CheckContext): Promise<readonly DoctorFinding[]> {
  // If the hooks are installed in the core, arduino-cli never uses its cache.
  if (await hasIdeHooks(core.folder)) return [];
  const archives = await plainArchives(core, context);
  const states = await Promise.all(archives.map(verifies));
  const having = (signing: boolean) => archives.filter((_, index) => states[index] === signing);
  const name = `core ${core.version ?? 'of unknown version'}`;
  return [
    ...cachedWithSigning(having(true), name),
    ...cachedWithoutSigning(having(false), name, context),
    ...withoutProblem(archives, having(true), name),
  ];
}

function cachedWithSigning(archives: readonly string[], name: string): readonly DoctorFinding[] {
  return archives.map((archive) => ({
    level: 'warning',
    message: `The arduino-cli cache contains ${name} compiled with signing: sketches without a key link it`,
    fix: 'Run arduino-cli cache clean',
    autofix: {
      done: `removed ${dirname(archive)} from the cache`,
      apply: () => rm(dirname(archive), { recursive: true }),
    },
  }));
}

function cachedWithoutSigning(
  archives: readonly string[],
  name: string,
  context: CheckContext,
): readonly DoctorFinding[] {
  const isSignedSketch = context.project?.system === 'arduino' && settingsOf(context)?.publicKey !== undefined;
  if (archives.length === 0 || !isSignedSketch) return [];
  const message = `The arduino-cli cache contains ${name} compiled without signing: plain builds of this sketch link it, and their firmware does not verify updates`;
  return [{ level: 'warning', message, fix: 'Build with ota-hooks build, which compiles a core for each key' }];
}

function withoutProblem(archives: readonly string[], bad: readonly string[], name: string): readonly DoctorFinding[] {
  if (archives.length === 0 || bad.length > 0) return [];
  return [{ level: 'ok', message: `The arduino-cli cache does not contain ${name} compiled with signing` }];
}

async function plainArchives({ folder }: InstalledCore, context: CheckContext): Promise<readonly string[]> {
  const name = createHash('md5').update(folder).digest('hex');
  return glob(`cores/*_${name}/core.a`, { cwd: cacheFolder(context), absolute: true });
}

/** Returns true if the Updater in the archive refers to the verifier. */
async function verifies(archive: string): Promise<boolean> {
  return (await readRegular(archive)).includes('updaterSigningVerifier');
}

/** Returns the cache folder of arduino-cli 1.x and the IDE. Configuration files, which may specify a different folder, are not read. */
function cacheFolder({ env, platform, home }: CheckContext): string {
  const places = {
    darwin: join(home, 'Library', 'Caches'),
    win32: env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'),
  };
  const own =
    platform === 'darwin' || platform === 'win32' ? places[platform] : (env['XDG_CACHE_HOME'] ?? join(home, '.cache'));
  return env['ARDUINO_BUILD_CACHE_PATH'] ?? join(own, 'arduino');
}

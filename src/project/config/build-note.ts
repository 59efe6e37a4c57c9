import { statSync } from 'node:fs';
import { join } from 'node:path';
import { OtaError } from '../../errors/ota-error.ts';
import { isBelow, realPathOf } from '../../files/real-path.ts';
import { isSafe } from './own-config.ts';
import { isUsersOwn } from './owner.ts';
import { workTreeOf } from './project-trust.ts';
import type { UserWords } from './user-words.ts';

/** Claim in a `build.options.json` that a build was made from a sketch. */
interface BuildNote {
  /** Build folder. */
  readonly build: string;
  /** Sketch folder named in the file. */
  readonly sketch: string;
}

/**
 * Checks whether a build folder may name its sketch. An untrusted source tree can contain a build folder that names a different project of
 * the user, whose passwords and devices would then be used for untrusted firmware. A build folder may name a sketch folder above it, a
 * sketch in the same git work tree, or the sketch that the user works in. A build folder in arduino-cli's build cache may name any sketch,
 * because only arduino-cli writes there.
 *
 * @throws OtaError SOURCE_UNTRUSTED
 */
export function requireTrustedNote({ build, sketch }: BuildNote, cwd: string, words: UserWords): void {
  const real = realPathOf(build);
  if (isBelow(real, sketch) || isBelow(realPathOf(cwd), sketch)) return;
  const workTree = workTreeOf(real, words);
  if (workTree !== undefined && isBelow(realPathOf(sketch), workTree)) return;
  const isOwn = isUsersOwn(statSync(real).uid, words);
  if ((isOwn && buildCaches(words).some((cache) => isBelow(real, cache))) || isSafe(build, words)) return;
  throw new OtaError('SOURCE_UNTRUSTED', { build, sketch });
}

/** Folders in which arduino-cli and the IDE keep builds. */
function buildCaches({ env, home }: UserWords): readonly string[] {
  const caches = [env['XDG_CACHE_HOME'], join(home, '.cache'), join(home, 'Library', 'Caches'), env['LOCALAPPDATA']];
  const temporary = [env['TMPDIR'], env['TEMP'], '/tmp'];
  const parents = [...caches, ...temporary].filter((folder): folder is string => folder !== undefined && folder !== '');
  const named = env['ARDUINO_BUILD_CACHE_PATH'];
  return [...parents.map((folder) => join(folder, 'arduino')), ...(named ? [named] : [])];
}

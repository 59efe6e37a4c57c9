import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import glob from 'fast-glob';
import { parseManifest } from '../../../core/model/manifest.ts';
import type { Check, DoctorFinding } from '../check.ts';
import type { World } from '../world.ts';

/** Checks for stale signed files: the core's espota.py sends a `.signed` beside the given file, whether or not it belongs to that file. */
export const staleArtifacts: Check = {
  about: 'what lies signed beside a build belongs to it',
  run: async (world) => {
    if (world.project === undefined) return [];
    const places = ['.pio/build/*/*.bin.signed', 'build/**/*.bin.signed'];
    const options = { cwd: world.project.folder, absolute: true, dot: true, suppressErrors: true };
    const found = await glob(places, options);
    const findings = (await Promise.all(found.map((path) => ofArtifact(path, world)))).flat();
    if (findings.length > 0 || found.length === 0) return findings;
    return [{ level: 'ok', says: 'every signed file belongs to the build that it lies beside' }];
  },
};

async function ofArtifact(path: string, world: World): Promise<readonly DoctorFinding[]> {
  const image = path.slice(0, -'.signed'.length);
  const shown = world.path(path);
  const mend = 'Build again, or remove it: espota.py would send it in place of the new build';
  const text = await readFile(`${image}.ota.json`, 'utf8').catch(() => undefined);
  if (text === undefined) {
    return [{ level: 'warning', says: `${shown} has no manifest beside it: it is not from the hooks`, mend }];
  }
  const parsed = parseManifest(text);
  const sha256 = await digestOf(image);
  if ('manifest' in parsed && parsed.manifest.image.sha256 === sha256) return [];
  return [{ level: 'warning', says: `${shown} is not from the image beside it`, mend }];
}

async function digestOf(path: string): Promise<string | undefined> {
  const bytes = await readFile(path).catch(() => undefined);
  return bytes && createHash('sha256').update(bytes).digest('hex');
}

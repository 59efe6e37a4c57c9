import { createHash } from 'node:crypto';
import glob from 'fast-glob';
import { parseManifest } from '../../../core/model/manifest.ts';
import { readRegular } from '../../../files/bounded-read.ts';
import type { Check, DoctorFinding } from '../check.ts';
import type { CheckContext } from '../context.ts';

/**
 * Checks for stale signed files. The core's espota.py sends a `.signed` file beside the image, even if the file belongs to an older
 * build.
 */
export const staleArtifacts: Check = async (context) => {
  if (context.project === undefined) return [];
  const places = ['.pio/build/*/*.bin.signed', 'build/**/*.bin.signed'];
  const options = { cwd: context.project.folder, absolute: true, dot: true, suppressErrors: true };
  const found = await glob(places, options);
  const findings = (await Promise.all(found.map((path) => ofArtifact(path, context)))).flat();
  if (findings.length > 0 || found.length === 0) return findings;
  return [{ level: 'ok', message: 'Every signed file belongs to the build beside it' }];
};

async function ofArtifact(path: string, context: CheckContext): Promise<readonly DoctorFinding[]> {
  const image = path.slice(0, -'.signed'.length);
  const shown = context.path(path);
  const fix = 'Build again, or remove the file; espota.py would send it instead of the new build';
  const text = await readRegular(`${image}.ota.json`).then(String, () => undefined);
  if (text === undefined) {
    return [{ level: 'warning', message: `${shown} has no manifest beside it, so the hooks did not create it`, fix }];
  }
  const parsed = parseManifest(text);
  const sha256 = await digestOf(image);
  if ('manifest' in parsed && parsed.manifest.image.sha256 === sha256) return [];
  return [{ level: 'warning', message: `${shown} was not created from the image beside it`, fix }];
}

async function digestOf(path: string): Promise<string | undefined> {
  const bytes = await readRegular(path).catch(() => undefined);
  return bytes && createHash('sha256').update(bytes).digest('hex');
}

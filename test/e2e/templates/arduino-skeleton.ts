import { cp, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { makeWorkplace, type Workplace } from '../arduino/workplace.ts';
import { completeCore } from './core.ts';
import { skeletonProgram, templates } from './parts.ts';

/** The arduino-cli skeleton as a user has it after copying it, with an update URL set. */
export async function makeSkeletonSketch(
  t: ExecutionContext,
): Promise<{ readonly workplace: Workplace; readonly sketch: string }> {
  const workplace = await makeWorkplace(t);
  await completeCore(workplace.core);
  const sketch = join(workplace.folder, 'my-device', 'firmware');
  await cp(join(templates, 'skeletons', 'arduino-cli'), dirname(sketch), { recursive: true });
  await writeFile(join(sketch, 'firmware.ino'), await skeletonProgram('arduino-cli/firmware/firmware.ino'));
  return { workplace, sketch };
}

import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { makeProject, type Project } from '../platformio/project.ts';
import { copyFullCore } from './core.ts';
import { replaceOnce, skeletonProgram, templates } from './parts.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const skeleton = join(templates, 'skeletons', 'platformio');

/**
 * The PlatformIO skeleton as a user has it after copying it and running `npm install`, but with the test platform and an update URL set.
 */
export async function makeSkeletonProject(
  t: ExecutionContext,
  change: (program: string) => string = (program) => program,
): Promise<Project> {
  const ini = await readFile(join(skeleton, 'platformio.ini'), 'utf8');
  const project = await makeProject(t, {
    ini: replaceOnce(ini, 'platform = espressif8266@4.2.1', 'platform = symlink://../platform'),
    sketch: change(await skeletonProgram('platformio/src/main.cpp')),
  });
  await copyFullCore(join(dirname(project.folder), 'platform'));
  for (const name of ['include', 'ota.config.json']) {
    await cp(join(skeleton, name), project.path(name), { recursive: true });
  }
  await cp(join(skeleton, 'gitignore'), project.path('.gitignore'));
  await mkdir(project.path('node_modules'));
  await symlink(repository, project.path('node_modules/ota-hooks'), 'dir');
  return project;
}

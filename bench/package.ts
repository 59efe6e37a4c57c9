import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import type { Place } from './place.ts';

/** Size of the package as published to npm, and of all packages that it installs into an empty project. Uses the npm registry. */
export function* benchPackage({ folder, root }: Place) {
  // Without --ignore-scripts, npm would rebuild the package.
  const argv = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const [packed] = JSON.parse(execaSync('npm', argv, { cwd: root }).stdout) as readonly Packed[];
  if (packed === undefined) throw new Error('npm packed no file');
  yield ['the package as downloaded', `${kilobytes(packed.size)}, ${packed.entryCount} files`, '', ''];

  const project = join(folder, 'empty');
  mkdirSync(project);
  execaSync('npm', ['init', '--yes'], { cwd: project });
  execaSync('npm', ['install', '--save-dev', join(folder, packed.filename)], { cwd: project });
  const modules = join(project, 'node_modules');
  const { packages } = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8')) as { packages: object };
  const figure = `${Object.keys(packages).length} packages, ${kilobytes(sizeOf(modules))}`;
  yield ['the package with its dependencies, as installed', figure, '', ''];
}

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly entryCount: number;
}

function sizeOf(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1000)} kB`;
}

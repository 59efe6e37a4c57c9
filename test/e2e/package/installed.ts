import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { execa, type Options } from 'execa';
import { packTarball } from '../newcomer/place.ts';

/** An otherwise empty project with the packed tarball as its only dependency. */
export interface InstalledProject {
  readonly folder: string;
  /** Runs a program of the project or of npm, with `node` first in PATH. */
  readonly run: (argv: readonly string[], node?: string) => ReturnType<typeof start>;
  readonly install: (...packages: readonly string[]) => Promise<unknown>;
}

export async function installedProject(t: ExecutionContext): Promise<InstalledProject> {
  const folder = await mkdtemp(join(tmpdir(), 'ota-hooks-installed-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const tarball = await packTarball(join(folder, 'tarball'));
  const install = (...packages: readonly string[]) =>
    execa('npm', ['install', '--save-dev', '--prefer-offline', '--no-audit', '--no-fund', ...packages], {
      cwd: folder,
    });
  await execa('npm', ['init', '--yes'], { cwd: folder });
  await install(tarball);
  return { folder, install, run: (argv, node = process.execPath) => start(argv, folder, node) };
}

function start([program = '', ...argv]: readonly string[], cwd: string, node: string) {
  const PATH = [dirname(node), dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter);
  // A separate process group, so that a signal reaches npx and its child process.
  return execa(program, argv, { cwd, env: { PATH }, reject: false, detached: true, all: true } satisfies Options);
}

import { existsSync } from 'node:fs';
import { chmod, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { rewriteFile } from '../../../files/write.ts';
import { ignorePart, isIgnored } from '../../init/ignore.ts';
import { withInsertions } from '../../init/insertion.ts';
import { readText, toBytes } from '../../init/text-file.ts';
import { findRepository } from '../../keys/git-repository.ts';
import { gitTracking } from '../../keys/git-tracking.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { settingsOf, type World } from '../world.ts';

/** Checks whether other users, git or devices have access to the private key. */
export const keySecrecy: Check = {
  about: 'the private key is private',
  run: async (world) => {
    const place = settingsOf(world)?.privateKey;
    if (place === undefined || 'variable' in place || !existsSync(place.path)) return [];
    const { path } = place;
    const [readable, shared] = [await readableByOthers(world, path), await sharedByGit(world, path)];
    const findings = [...readable, ...shared, ...sentToDevices(world, path)];
    return findings.length > 0 ? findings : [{ level: 'ok', says: `${world.path(path)} is for you alone` }];
  },
};

async function readableByOthers(world: World, path: string): Promise<readonly DoctorFinding[]> {
  // Windows uses access control lists instead of these bits, and the folders of a user are private.
  if (world.platform === 'win32' || ((await stat(path)).mode & 0o077) === 0) return [];
  const shown = world.path(path);
  return [
    {
      level: 'warning',
      says: `${shown} can be read by other users of this machine`,
      mend: `chmod 600 ${shown}`,
      fix: { says: `took the others' permissions from ${shown}`, apply: () => chmod(path, 0o600) },
    },
  ];
}

async function sharedByGit(world: World, path: string): Promise<readonly DoctorFinding[]> {
  const shown = world.path(path);
  switch (gitTracking(path)) {
    case 'tracked': {
      const says = `${shown} is tracked by git: everyone with the repository can sign updates`;
      const mend = `git rm --cached ${shown}, and make a new pair: this one is in the history`;
      return [{ level: 'error', says, mend }];
    }
    case 'unknown': {
      const says = `${shown} may be tracked by git: the index of its repository cannot be read`;
      return [{ level: 'warning', says, mend: `Make sure that ${shown} was never committed, or make a new pair` }];
    }
    case 'untracked':
      return notIgnored(world, path);
  }
}

async function notIgnored(world: World, path: string): Promise<readonly DoctorFinding[]> {
  const shown = world.path(path);
  const folder = dirname(path);
  if (findRepository(await realpath(folder)) === 'none') return [];
  if (await isIgnored(folder, basename(path), (await readText(join(folder, '.gitignore'))) ?? '')) return [];
  return [
    {
      level: 'warning',
      says: `${shown} is not in .gitignore: the next "git add ." takes it along`,
      mend: `Add ${basename(path)} to .gitignore`,
      fix: { says: `added ${basename(path)} to .gitignore`, apply: () => ignore(folder, basename(path)) },
    },
  ];
}

async function ignore(folder: string, name: string): Promise<void> {
  for (const step of (await ignorePart(folder, [{ line: name }])).steps) {
    if (step.kind !== 'insert') continue;
    await rewriteFile(step.path, toBytes(withInsertions((await readText(step.path)) ?? '', step.insertions)));
  }
}

/** Reports a key in `data`: its files become part of the filesystem image, which can be read from any device. */
function sentToDevices({ project, path: show }: World, path: string): readonly DoctorFinding[] {
  if (project === undefined || !/^data[\\/]/.test(relative(project.folder, path))) return [];
  const says = `${show(path)} lies in data: the filesystem image would carry it into every device`;
  return [{ level: 'error', says, mend: 'Move it out of data; devices that have got it make the key worthless' }];
}

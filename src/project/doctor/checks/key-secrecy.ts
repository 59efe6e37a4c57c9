import { existsSync } from 'node:fs';
import { chmod, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { rewriteFile } from '../../../files/write.ts';
import { isIgnored, planIgnore } from '../../init/ignore.ts';
import { withInsertions } from '../../init/insertion.ts';
import { readText, toBytes } from '../../init/text-file.ts';
import { environmentKeys } from '../../keys/environment-keys.ts';
import { findRepository } from '../../keys/git-repository.ts';
import { gitTracking } from '../../keys/git-tracking.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { type CheckContext, settingsOf } from '../context.ts';

/** Checks whether the private key is exposed to other users, to git or to devices. */
export const keySecrecy: Check = async (context) => {
  const settings = settingsOf(context);
  if (settings === undefined) return [];
  const places = environmentKeys(context.project?.platformio, settings, context.home).map((keys) => keys.privateKey);
  const paths = places.flatMap((place) => (place !== undefined && 'path' in place ? [place.path] : []));
  const existing = [...new Set(paths)].filter((path) => existsSync(path));
  return (await Promise.all(existing.map((path) => ofKey(context, path)))).flat();
};

async function ofKey(context: CheckContext, path: string): Promise<readonly DoctorFinding[]> {
  const [readable, shared] = [await readableByOthers(context, path), await sharedByGit(context, path)];
  const findings = [...readable, ...shared, ...sentToDevices(context, path)];
  return findings.length > 0
    ? findings
    : [{ level: 'ok', message: `${context.path(path)} is not exposed to other users, git or devices` }];
}

async function readableByOthers(context: CheckContext, path: string): Promise<readonly DoctorFinding[]> {
  // Windows uses access control lists instead of mode bits, and user folders are private.
  if (context.platform === 'win32' || ((await stat(path)).mode & 0o077) === 0) return [];
  const shown = context.path(path);
  return [
    {
      level: 'warning',
      message: `${shown} is accessible to other users of this machine`,
      fix: `Run chmod 600 ${shown}`,
      autofix: { done: `set the permissions of ${shown} to 600`, apply: () => chmod(path, 0o600) },
    },
  ];
}

async function sharedByGit(context: CheckContext, path: string): Promise<readonly DoctorFinding[]> {
  const shown = context.path(path);
  switch (gitTracking(path)) {
    case 'tracked': {
      const message = `${shown} is tracked by git: everyone with access to the repository can sign updates`;
      const fix = `Run git rm --cached ${shown}, and replace the key pair if it was ever committed, because the git history keeps it`;
      return [{ level: 'error', message, fix }];
    }
    case 'unknown': {
      const message = `${shown} may be tracked by git: the index of the repository cannot be read`;
      return [{ level: 'warning', message, fix: `Check that ${shown} was never committed, or replace the key pair` }];
    }
    case 'untracked':
      return notIgnored(context, path);
  }
}

async function notIgnored(context: CheckContext, path: string): Promise<readonly DoctorFinding[]> {
  const shown = context.path(path);
  const folder = dirname(path);
  if (findRepository(await realpath(folder)) === 'none') return [];
  if (await isIgnored(folder, basename(path), (await readText(join(folder, '.gitignore'))) ?? '')) return [];
  return [
    {
      level: 'warning',
      message: `${shown} is not ignored by git: "git add ." would add it`,
      fix: `Add ${basename(path)} to .gitignore`,
      autofix: { done: `added ${basename(path)} to .gitignore`, apply: () => ignore(folder, basename(path)) },
    },
  ];
}

async function ignore(folder: string, name: string): Promise<void> {
  for (const step of (await planIgnore(folder, [{ line: name }])).steps) {
    if (step.kind !== 'insert') continue;
    await rewriteFile(step.path, toBytes(withInsertions((await readText(step.path)) ?? '', step.insertions)));
  }
}

/** Reports a key in `data`. Files in this folder become part of the filesystem image, which can be read from any device. */
function sentToDevices({ project, path: show }: CheckContext, path: string): readonly DoctorFinding[] {
  if (project === undefined || !/^data[\\/]/.test(relative(project.folder, path))) return [];
  const message = `${show(path)} is in the data folder: the filesystem image would contain it`;
  return [
    {
      level: 'error',
      message,
      fix: 'Move the key out of data, and replace the key pair if devices already received the image',
    },
  ];
}

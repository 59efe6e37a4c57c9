import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { isBelow, realPathOf } from '../../files/real-path.ts';
import { findRepository, type GitRepository, readRegularFile } from '../keys/git-repository.ts';

const objectId = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
/** Name of a branch or tag below `refs/`, without parts that leave the folder. */
const refName = /^refs\/(?!.*\.\.)[^\0-\x20\\:]+$/;

const longestRefBytes = 4096;
const longestPackedRefsBytes = 64 * 1024 * 1024;
/** A symbolic reference may refer to another symbolic reference. Git follows at most five. */
const mostReferences = 5;

/**
 * Returns the commit that is checked out in a folder. Files may differ from the commit. Git is not run, because it executes commands from
 * the repository's configuration.
 *
 * @returns undefined outside a repository, before the first commit, and if the references are stored in an unknown format
 */
export function sourceCommit(folder: string): string | undefined {
  const repository = findRepository(realpathSync(folder));
  return typeof repository === 'string' ? undefined : commitAt('HEAD', repository, mostReferences);
}

function commitAt(name: string, repository: GitRepository, left: number): string | undefined {
  const text = readReference(name, repository) ?? packedReference(name, repository);
  if (text === undefined || objectId.test(text)) return text;
  const [, target] = /^ref: *(.+)$/.exec(text) ?? [];
  return target !== undefined && refName.test(target) && left > 0 ? commitAt(target, repository, left - 1) : undefined;
}

/** Reads a loose reference. A linked work tree has its own HEAD; its branches are in the common folder. */
function readReference(name: string, { gitFolder, commonFolder }: GitRepository): string | undefined {
  const texts = [gitFolder, commonFolder].map((folder) => readInside(folder, name, longestRefBytes));
  return texts
    .find((text) => text !== undefined)
    ?.toString('utf8')
    .trim();
}

/**
 * Reads a file of a repository. In an untrusted source tree, a symbolic link could point to any of the user's files, and its content
 * would be published with the manifest.
 */
export function readInside(folder: string, name: string, limitBytes: number): Buffer | undefined {
  const path = join(folder, name);
  if (!isBelow(realPathOf(path), folder)) return undefined;
  const bytes = readRegularFile(path, limitBytes);
  return typeof bytes === 'string' ? undefined : bytes;
}

/** Reference in packed-refs. */
interface PackedReference {
  readonly name: string;
  /** Object ID; for an annotated tag, followed by the ID of its commit. */
  readonly ids: readonly string[];
}

/** Reads packed-refs. A line that starts with `^` contains the commit of the annotated tag in the line above. */
export function packedReferences({ commonFolder }: GitRepository): readonly PackedReference[] {
  const text = readInside(commonFolder, 'packed-refs', longestPackedRefsBytes)?.toString('utf8') ?? '';
  const lines = text.matchAll(/^([0-9a-f]+) (.+?)\s*$(?:\n\^([0-9a-f]+))?/gm);
  return [...lines].map(([, id = '', name = '', commit]) => ({
    name,
    ids: commit === undefined ? [id] : [id, commit],
  }));
}

function packedReference(name: string, repository: GitRepository): string | undefined {
  return packedReferences(repository).find((reference) => reference.name === name)?.ids[0];
}

import { readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { findRepository, type GitRepository } from '../keys/git-repository.ts';
import { packedTags } from './packed-tags.ts';
import { packedReferences, readInside, sourceCommit } from './source-commit.ts';

/** Tags that name a version, such as v1.2.0 or 1.2.0-rc.1. Other tags, such as `nightly`, are ignored. */
const versionTag = /^v?(\d[\w.+-]*)$/;

const longestIdBytes = 4096;
const longestTagBytes = 64 * 1024;

/**
 * Returns the version in the tag of the checked-out commit: v1.2.0 is the version 1.2.0. If the commit has several such tags, returns the
 * highest version. Git is not run, because it executes commands from the repository's configuration.
 *
 * An annotated tag is recognized if it is in packed-refs (as in a clone), or if its object is in a file of its own (as after `git tag -a`) or
 * in a pack (as after `git fetch`).
 *
 * @returns undefined outside a repository, and if the commit has no such tag
 */
export function versionOfTag(folder: string): string | undefined {
  const repository = findRepository(realpathSync(folder));
  const commit = sourceCommit(folder);
  if (typeof repository === 'string' || commit === undefined) return undefined;
  const tags = [...tagsOf(repository)];
  const unpeeled = tags.flatMap(([, ids]) => (ids.length === 1 && !ids.includes(commit) ? ids : [])).filter(isObjectId);
  const loose = new Map(unpeeled.map((id) => [id, taggedCommit(id, repository)]));
  const packed = packedTags(
    repository.commonFolder,
    unpeeled.filter((id) => loose.get(id) === undefined),
  );
  const isHere = ([, ids]: readonly [string, readonly string[]]) =>
    ids.some((id) => [id, loose.get(id), packed.get(id)].includes(commit));
  const names = tags.filter(isHere).map(([name]) => name);
  const versions = names.flatMap((name) => versionTag.exec(name)?.[1] ?? []);
  return versions.sort(byVersion).at(-1);
}

/** Returns the object IDs of each version tag: its own, and for an annotated tag in packed-refs, that of its commit. */
function tagsOf(repository: GitRepository): ReadonlyMap<string, readonly string[]> {
  const prefix = 'refs/tags/';
  const packed = packedReferences(repository).filter(({ name }) => name.startsWith(prefix));
  const tags = new Map(packed.map(({ name, ids }) => [name.slice(prefix.length), ids]));
  for (const name of namesIn(join(repository.commonFolder, 'refs', 'tags'))) {
    const id = readInside(repository.commonFolder, prefix + name, longestIdBytes)
      ?.toString('latin1')
      .trim();
    if (versionTag.test(name) && id !== undefined) tags.set(name, [id]);
  }
  return new Map([...tags].filter(([name]) => versionTag.test(name)));
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isObjectId(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/** Returns the commit of an annotated tag whose object is in a file of its own. */
function taggedCommit(id: string, { commonFolder }: GitRepository): string | undefined {
  const bytes = readInside(commonFolder, `objects/${id.slice(0, 2)}/${id.slice(2)}`, longestTagBytes);
  try {
    const object = bytes && inflateSync(bytes, { maxOutputLength: longestTagBytes }).toString('latin1');
    return /^tag \d+\0object ([0-9a-f]+)\ntype commit\n/.exec(object ?? '')?.[1];
  } catch {
    return undefined;
  }
}

const numeric = new Intl.Collator('en', { numeric: true });

/** Compares versions. A version with a suffix such as -rc.1 is lower than the same version without it. */
function byVersion(a: string, b: string): number {
  const [[baseA = '', ...restA], [baseB = '', ...restB]] = [a.split('-'), b.split('-')];
  const bases = numeric.compare(baseA, baseB);
  if (bases !== 0 || restA.length === 0 || restB.length === 0) return bases || restB.length - restA.length;
  return numeric.compare(restA.join('-'), restB.join('-'));
}

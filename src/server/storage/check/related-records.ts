import { flashModes } from '../../../core/firmware/flash-header.ts';
import type { Manifest, SketchMd5 } from '../../../core/model/manifest.ts';
import type { RolloutRecord } from '../records.ts';
import type { DumpLine } from '../store.ts';
import type { DataProblem } from './findings.ts';
import type { RowRepair } from './row-repairs.ts';
import { rowName } from './table-rows.ts';

type Row = DumpLine['row'];

/** Problem of a record that can be read but contradicts other records or the firmware files. */
export interface Contradiction extends Pick<DataProblem, 'kind' | 'message'> {
  /** Safe change that removes the contradiction: no device receives a different release, although a channel may serve none. */
  readonly repair?: RowRepair | undefined;
}

/** Release fields that are compared with other records. */
export interface StoredRelease {
  readonly id: number;
  /** Text such as `door 1.0`. */
  readonly text: string;
  readonly isReference: boolean;
  /** Manifest without its sketch MD5s. */
  readonly manifest: Manifest;
}

interface ReleaseRow {
  readonly id: number;
  readonly project_id: number;
  readonly version: string;
  readonly kind: string;
  readonly board: string;
  readonly reference_image: string;
  readonly yanked: string | null;
  readonly manifest: string;
}

const underWay = ['active', 'paused', 'halted'];

/**
 * Compares records with each other. The server writes records that belong together in one transaction, so contradicting records were
 * changed by a different program.
 */
export class RelatedRecords {
  readonly #projects = new Map<unknown, { readonly name: string; readonly row: Row }>();
  readonly #releases = new Map<unknown, ReleaseRow>();
  readonly #blobs = new Map<unknown, string[]>();
  /** Flash modes by MD5, by release. */
  readonly #sketchMd5s = new Map<unknown, Map<string, unknown>>();
  readonly #current: Row[] = [];
  readonly #promotions: Row[] = [];
  /** Channels and releases of the promotions. */
  readonly #promoted = new Set<string>();
  readonly #rollouts: Row[] = [];

  /** Adds a row without problems according to `rowProblem`. */
  add(table: string, row: Row): void {
    switch (table) {
      case 'projects':
        this.#projects.set(row['id'], { name: String(row['name']), row });
        break;
      case 'releases':
        // `rowProblem` and SQLite have checked the columns.
        this.#releases.set(row['id'], row as unknown as ReleaseRow);
        break;
      case 'release_blobs':
        this.#blobs.set(row['release_id'], [...(this.#blobs.get(row['release_id']) ?? []), String(row['sha256'])]);
        break;
      case 'sketch_md5s':
        this.#md5sOf(row['release_id']).set(String(row['md5']), row['flash_mode']);
        break;
      case 'current_releases':
        this.#current.push(row);
        break;
      case 'promotions':
        this.#promotions.push(row);
        this.#promoted.add(`${row['channel']} ${row['release_id']}`);
        break;
      case 'rollouts':
        this.#rollouts.push(row);
        break;
    }
  }

  /** Releases whose firmware files the server keeps. */
  *servedReleases(): Generator<StoredRelease> {
    for (const release of this.#releases.values()) if (release.reference_image === '') yield this.#stored(release);
  }

  *contradictions(): Generator<Contradiction> {
    yield* this.#aliasContradictions();
    for (const release of this.#releases.values()) yield* this.#releaseContradictions(release);
    for (const row of this.#promotions) yield* this.#promotionContradictions(row);
    for (const row of this.#current) yield* this.#currentContradictions(row);
    yield* this.#rolloutContradictions();
  }

  /** Compares the stored sketch MD5s of a release with those of its image. */
  *md5Contradictions({ id, text }: StoredRelease, actual: readonly SketchMd5[]): Generator<Contradiction> {
    const expected = new Map<string, number>();
    for (const { md5, flashMode } of actual) if (!expected.has(md5)) expected.set(md5, flashModes.indexOf(flashMode));
    const kind = 'sketch-md5-mismatch';
    const stored = this.#md5sOf(id);
    for (const [md5, mode] of stored) {
      if (expected.get(md5) === mode) continue;
      const name = rowName('sketch_md5s', { md5, release_id: id });
      const message = `${name}: the image of ${text} does not have this MD5 in this flash mode`;
      yield { kind, message, repair: dropped(name) };
    }
    const missing = [...expected.keys()].filter((md5) => !stored.has(md5)).length;
    if (missing > 0) yield { kind, message: `releases ${id}: ${missing} sketch MD5s of ${text} are missing` };
  }

  #md5sOf(releaseId: unknown): Map<string, unknown> {
    const found = this.#sketchMd5s.get(releaseId) ?? new Map<string, unknown>();
    this.#sketchMd5s.set(releaseId, found);
    return found;
  }

  #stored({ id, project_id, version, reference_image, manifest }: ReleaseRow): StoredRelease {
    const text = `${this.#projects.get(project_id)?.name} ${version}`;
    return { id, text, isReference: reference_image !== '', manifest: JSON.parse(manifest) };
  }

  /** Projects may share an alias, but within a project, an alias has only one channel. */
  *#aliasContradictions(): Generator<Contradiction> {
    for (const { name, row } of this.#projects.values()) {
      const paths = new Set<string>();
      for (const { path } of JSON.parse(String(row['doc'])).aliases) {
        const isFirst = !paths.has(path);
        paths.add(path);
        if (isFirst) continue;
        const message = `${rowName('projects', row)}: ${name} has the alias ${path} twice`;
        yield { kind: 'alias-mismatch', message };
      }
    }
  }

  *#releaseContradictions(row: ReleaseRow): Generator<Contradiction> {
    const { text, isReference, manifest } = this.#stored(row);
    const { image, artifacts, board = '' } = manifest;
    const named = {
      project: [manifest.project, this.#projects.get(row.project_id)?.name],
      version: [manifest.version, row.version],
      kind: [image.kind, row.kind],
      board: [board, row.board],
      'reference image': [isReference ? image.sha256 : '', row.reference_image],
    };
    const wrong = Object.entries(named).flatMap(([what, [there, here]]) => (there === here ? [] : [what]));
    const expected = isReference ? [] : [...new Set(artifacts.map(({ sha256 }) => sha256))];
    const blobs = this.#blobs.get(row.id) ?? [];
    if (!isSameSet(expected, blobs)) wrong.push('list of files');
    if (wrong.length === 0) return;
    const message = `releases ${row.id}: the ${wrong.join(', ')} of ${text} and of its manifest differ`;
    yield { kind: 'release-mismatch', message };
  }

  *#promotionContradictions(row: Row): Generator<Contradiction> {
    const release = this.#releases.get(row['release_id']);
    const problem = release === undefined ? undefined : notServable(row, release);
    if (problem === undefined) return;
    yield { kind: 'promotion-mismatch', message: `${rowName('promotions', row)}: ${problem}` };
  }

  *#currentContradictions(row: Row): Generator<Contradiction> {
    const release = this.#releases.get(row['release_id']);
    const problem = release === undefined ? undefined : this.#currentProblem(row, release);
    if (problem === undefined) return;
    const name = rowName('current_releases', row);
    yield { kind: 'current-release-mismatch', message: `${name}: ${problem}`, repair: dropped(name) };
  }

  #currentProblem(row: Row, release: ReleaseRow): string | undefined {
    const { text } = this.#stored(release);
    const problem = notServable(row, release);
    if (problem !== undefined) return problem;
    if (release.kind !== row['kind']) return `${text} is a ${release.kind} release`;
    if (release.board !== row['board']) return `${text} is for the board "${release.board}"`;
    if (release.yanked !== null) return `${text} was yanked`;
    if (!this.#promoted.has(`${row['channel']} ${release.id}`)) return `${text} was never promoted to the channel`;
    const rollout = this.#rollouts.find((each) => isUnderWay(each) && isSameChannel(each, row));
    const { releaseIds, previousIds } = rollout === undefined ? noReleases : docOf(rollout);
    const isEarly = releaseIds.includes(release.id) && !previousIds.includes(release.id);
    return isEarly ? `the rollout of ${text} is not complete` : undefined;
  }

  *#rolloutContradictions(): Generator<Contradiction> {
    const newest = new Map<string, unknown>();
    for (const row of this.#rollouts.toSorted((a, b) => Number(b['id']) - Number(a['id']))) {
      const channel = `${row['project_id']} ${row['channel']}`;
      const other = newest.get(channel);
      newest.set(channel, other ?? row['id']);
      const problem =
        this.#rolloutProblem(row) ??
        (other !== undefined && isUnderWay(row) ? `rollout ${other} of the same channel is newer` : undefined);
      if (problem === undefined) continue;
      const name = rowName('rollouts', row);
      const repair = isUnderWay(row)
        ? { name, row: { ...row, state: 'aborted' }, change: `Aborted ${name}` }
        : undefined;
      yield { kind: 'rollout-mismatch', message: `${name}: ${problem}`, repair };
    }
  }

  #rolloutProblem(row: Row): string | undefined {
    const { version, releaseIds, previousIds } = docOf(row);
    if (releaseIds.length === 0) return 'the rollout has no release';
    for (const id of [...releaseIds, ...previousIds]) {
      const release = this.#releases.get(id);
      if (release === undefined) return `release ${id} does not exist`;
      const problem = notServable(row, release);
      if (problem !== undefined) return problem;
    }
    const other = releaseIds.find((id) => this.#releases.get(id)?.version !== version);
    return other === undefined ? undefined : `release ${other} is not version ${version}`;
  }
}

const noReleases: Pick<RolloutRecord, 'version' | 'releaseIds' | 'previousIds'> = {
  version: '',
  releaseIds: [],
  previousIds: [],
};

/** Parses the document of a rollout, which `rowProblem` has checked. */
function docOf(row: Row): typeof noReleases {
  return JSON.parse(String(row['doc']));
}

function isUnderWay(row: Row): boolean {
  return underWay.includes(String(row['state']));
}

function isSameChannel(one: Row, other: Row): boolean {
  return one['project_id'] === other['project_id'] && one['channel'] === other['channel'];
}

/** Returns why no channel of the row's project can serve a release. */
function notServable(row: Row, { id, project_id, reference_image }: ReleaseRow): string | undefined {
  if (project_id !== row['project_id']) return `release ${id} belongs to a different project`;
  return reference_image === '' ? undefined : `release ${id} is a reference build`;
}

function dropped(name: string): RowRepair {
  return { name, row: undefined, change: `Dropped ${name}` };
}

function isSameSet(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((item) => other.includes(item));
}

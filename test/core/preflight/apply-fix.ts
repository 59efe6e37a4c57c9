import { flashModes, flashSizesByNibble } from '../../../src/core/firmware/flash-header.ts';
import { compareReleases, readCoreName } from '../../../src/core/model/core-name.ts';
import type { DeviceFacts } from '../../../src/core/model/device-facts.ts';
import type { ArtifactForm, BuildChanges, PreflightFix } from '../../../src/core/model/preflight-fix.ts';
import { expectedFormat, knownDevice } from '../../../src/core/preflight/device.ts';
import { isSigned, type Release, type ReleaseArtifact } from '../../../src/core/preflight/release.ts';

/** Update of a device, in which a fix can change everything. */
export interface Situation {
  /** Known facts about the device. */
  readonly facts: DeviceFacts;
  /** All facts about the device. */
  readonly truth: DeviceFacts;
  readonly release: Release;
  readonly artifact: ReleaseArtifact;
  /** Allowed rules. */
  readonly allow: ReadonlySet<string>;
}

const trailerBytes = 260;
/** Key of a new build, if the fix names none. */
const anyKey = 'c'.repeat(64);

/**
 * Applies a fix by its data alone: the name of the rule is not an input.
 *
 * @returns undefined for fixes that depend on the findings of other rules or artifacts, and for `serial`: no fix over the air exists
 */
export function applyFix(fix: PreflightFix, situation: Situation): Situation | undefined {
  const after = applied(fix, situation);
  return after && packedAgain.has(fix.action) ? withTrueMetadata(after) : after;
}

/** Fixes after which the artifacts are packed again, which writes their metadata again. */
const packedAgain: ReadonlySet<PreflightFix['action']> = new Set<PreflightFix['action']>([
  'pack',
  'build',
  'append-first',
]);

/** Returns the parts of metadata that follow from the image. */
export function metadataFor({ kind, flashMode, flashSizeBytes }: Release['image']) {
  if (kind !== 'sketch') return { kind, flashModeByte: 0, flashSizeByte: 0 } as const;
  const nibble = [...flashSizesByNibble].find(([, sizeBytes]) => sizeBytes === flashSizeBytes)?.[0] ?? 0x0f;
  const flashModeByte = flashMode === undefined ? 0xff : flashModes.indexOf(flashMode);
  return { kind, flashModeByte, flashSizeByte: nibble << 4 } as const;
}

function withTrueMetadata(situation: Situation): Situation {
  const { release } = situation;
  const described = (artifact: ReleaseArtifact): ReleaseArtifact => {
    const isGzip = artifact.encoding === 'gzip';
    return {
      ...artifact,
      metadata: artifact.metadata && {
        ...artifact.metadata,
        ...metadataFor(release.image),
        memberBytes: isGzip ? artifact.payloadBytes : 0,
        lowestStart: isGzip ? (artifact.inflate?.lowestStaging?.erasesFirst ?? 0) : 0,
      },
    };
  };
  const artifacts = release.artifacts.map(described);
  return { ...situation, artifact: described(situation.artifact), release: { ...release, artifacts } };
}

function applied(fix: PreflightFix, situation: Situation): Situation | undefined {
  const { facts, truth, release, artifact, allow } = situation;
  switch (fix.action) {
    case 'send': {
      const sent = release.artifacts.find(({ file }) => file === fix.artifact);
      return sent === undefined
        ? withArtifact(situation, inForm(situation, fix.form))
        : { ...situation, artifact: sent };
    }
    case 'add':
      return withArtifact(situation, inForm(situation, fix.form));
    case 'pack':
      if (fix.metadata !== undefined) {
        const changes = { format: 1, memberBytes: 0, lowestStart: 0, ...metadataFor(release.image), ...fix.metadata };
        return withArtifact(situation, { ...artifact, metadata: changes });
      }
      return withArtifact(situation, resized(artifact, fix.mostBytes ?? artifact.payloadBytes));
    case 'append-first':
      return withImage(situation, { findings: [] });
    case 'sign': {
      const format = fix.format ?? expectedFormat(knownDevice(facts)) ?? 'current';
      const keyFingerprint = fix.keyFingerprint ?? truth.keyFingerprint ?? anyKey;
      const sizeBytes = artifact.payloadBytes + trailerBytes;
      return withArtifact(situation, { ...artifact, signature: format, keyFingerprint, sizeBytes });
    }
    case 'build':
      return built(situation, fix);
    case 'embed-key':
      return {
        ...withImage(situation, { findings: [] }),
        release: { ...withImage(situation, { findings: [] }).release, embeddedKeys: [fix.keyFingerprint ?? anyKey] },
      };
    case 'prove':
      return { ...situation, release: { ...release, enforcement: 'elf' } };
    case 'update-first': {
      const first = { ...facts, ...afterFirst(facts, fix) };
      return { ...situation, facts: first, truth: { ...truth, ...afterFirst(truth, fix) } };
    }
    case 'specify': {
      const told = Object.fromEntries(fix.facts.map((fact) => [fact, truth[fact]]));
      return { ...situation, facts: { ...facts, ...told } };
    }
    case 'transport':
      return { ...situation, facts: { ...facts, transport: fix.transports[0] } };
    case 'send-as':
      return { ...situation, facts: { ...facts, kind: fix.kind } };
    case 'allow':
      return { ...situation, allow: new Set([...allow, fix.rule]) };
    case 'unblock':
    case 'fix-rule':
    case 'serial':
      return undefined;
  }
}

function withArtifact(situation: Situation, artifact: ReleaseArtifact): Situation {
  const { release } = situation;
  const others = release.artifacts.filter(({ file }) => file !== situation.artifact.file && file !== artifact.file);
  return { ...situation, artifact, release: { ...release, artifacts: [artifact, ...others] } };
}

function withImage(situation: Situation, changes: Partial<Release['image']>): Situation {
  const { release } = situation;
  return { ...situation, release: { ...release, image: { ...release.image, ...changes } } };
}

/** Returns an artifact of the image in a form. */
function inForm({ facts, truth, release, artifact }: Situation, form: ArtifactForm): ReleaseArtifact {
  const { contentBytes, kind } = release.image;
  const isGzip = form === 'gzip' || form === 'unsigned gzip';
  const isToSign =
    form === 'raw signed' || form === 'raw legacy-signed' || (!form.startsWith('unsigned') && isSigned(artifact));
  const signature = !isToSign
    ? 'none'
    : form === 'raw legacy-signed'
      ? 'legacy'
      : isSigned(artifact)
        ? artifact.signature
        : (expectedFormat(knownDevice(facts)) ?? 'current');
  const payloadBytes = isGzip ? padded(Math.ceil(contentBytes * gzipShare)) : padded(contentBytes);
  return {
    file: `new ${form}`,
    encoding: isGzip ? 'gzip' : 'identity',
    signature,
    payloadBytes,
    sizeBytes: payloadBytes + (isToSign ? trailerBytes : 0),
    inflate: isGzip ? { sizeBytes: contentBytes, ...(kind === 'sketch' && staging(contentBytes)) } : undefined,
    keyFingerprint: isToSign ? (artifact.keyFingerprint ?? truth.keyFingerprint ?? anyKey) : undefined,
  };
}

export const gzipShare = 0.6;

function staging(contentBytes: number) {
  return { lowestStaging: { erasesFirst: contentBytes / 4, inflatesFirst: contentBytes / 4 } };
}

function padded(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 4) * 4;
}

/** Returns the artifact of a smaller or repacked image. The payload of a signed artifact is padded. */
function resized(artifact: ReleaseArtifact, mostBytes: number): ReleaseArtifact {
  const trailer = artifact.sizeBytes - artifact.payloadBytes;
  const wanted = Math.min(artifact.payloadBytes, mostBytes);
  const payloadBytes =
    padded(wanted) <= mostBytes || mostBytes === artifact.payloadBytes ? padded(wanted) : wanted - (wanted % 4);
  const { inflate } = artifact;
  const sizeBytes = Math.min(inflate?.sizeBytes ?? 0, mostBytes);
  return {
    ...artifact,
    payloadBytes,
    sizeBytes: payloadBytes + trailer,
    inflate: inflate && {
      ...inflate,
      ...(artifact.payloadBytes === mostBytes ? {} : { sizeBytes }),
      // Below its size, the output of eboot does not overtake its input.
      ...(inflate.lowestStaging &&
        artifact.payloadBytes !== mostBytes && {
          lowestStaging: {
            erasesFirst: Math.min(inflate.lowestStaging.erasesFirst, sector(sizeBytes)),
            inflatesFirst: Math.min(inflate.lowestStaging.inflatesFirst, sector(sizeBytes)),
          },
        }),
    },
  };
}

function sector(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 4096) * 4096;
}

/** Builds and packs the image again with these changes. */
function built(situation: Situation, changes: BuildChanges): Situation {
  const { facts, release } = situation;
  const { image } = release;
  const mostBytes = Math.min(
    changes.mostBytes ?? Number.POSITIVE_INFINITY,
    changes.partitionBytes ?? Number.POSITIVE_INFINITY,
  );
  const room = changes.partitionBytes === undefined ? 0 : trailerBytes;
  const ofSize = (artifact: ReleaseArtifact): ReleaseArtifact => {
    const inflating =
      artifact.encoding === 'gzip'
        ? { inflate: artifact.inflate ?? { sizeBytes: image.contentBytes, ...staging(image.contentBytes) } }
        : {};
    const whole = { ...artifact, ...inflating };
    return mostBytes === Number.POSITIVE_INFINITY ? whole : resized(whole, mostBytes - room);
  };
  const layout =
    changes.fsStart === undefined
      ? image.layout
      : { fsStart: changes.fsStart, fsEnd: changes.fsEnd ?? image.layout?.fsEnd ?? changes.fsStart };
  const next: Release = {
    ...release,
    project: changes.project ?? release.project,
    board: changes.board ?? release.board,
    image: {
      ...image,
      kind: image.kind === 'unknown' ? (facts.kind ?? 'sketch') : image.kind,
      findings: [],
      core: changes.core ?? image.core,
      flashMode: changes.flashMode ?? image.flashMode,
      flashSizeBytes: changes.flashSizeBytes ?? image.flashSizeBytes,
      traces: image.traces && {
        ...image.traces,
        flashMap: changes.flashSizeBytes === undefined ? image.traces.flashMap : undefined,
      },
      contentBytes: Math.min(image.contentBytes, mostBytes),
      layout,
      filesystem:
        image.filesystem && changes.partitionBytes !== undefined
          ? {
              ...image.filesystem,
              blockSizeBytes: 4096,
              blockCount: changes.partitionBytes / 4096,
              usedBytes: Math.min(image.filesystem.usedBytes, changes.partitionBytes - 4096),
            }
          : image.filesystem,
    },
    artifacts: release.artifacts.map(ofSize),
  };
  const artifact = next.artifacts.find(({ file }) => file === situation.artifact.file);
  if (artifact === undefined) throw new Error('the artifact is in the release');
  return { ...situation, release: next, artifact };
}

/** Returns the changed facts about a device that runs the first sketch of two hops. */
function afterFirst(facts: DeviceFacts, fix: Extract<PreflightFix, { action: 'update-first' }>): DeviceFacts {
  const release = facts.core === undefined ? undefined : readCoreName(facts.core)?.release;
  const isNewer = release !== undefined && (fix.core === undefined || compareReleases(release, fix.core) >= 0);
  return {
    core: isNewer ? facts.core : fix.core,
    atomicFs: fix.atomicFs ?? facts.atomicFs,
    sketchSizeBytes: Math.min(facts.sketchSizeBytes ?? Number.POSITIVE_INFINITY, fix.mostBytes ?? 300_000),
  };
}

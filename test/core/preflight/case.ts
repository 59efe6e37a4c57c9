import type { ExecutionContext } from 'ava';
import type { DeviceFacts } from '../../../src/core/model/device-facts.ts';
import { knownDevice } from '../../../src/core/preflight/device.ts';
import type { Release, ReleaseArtifact, ReleaseImage } from '../../../src/core/preflight/release.ts';
import type { Rule } from '../../../src/core/preflight/rule.ts';

/** Fingerprints of two keys. */
export const ours = 'a'.repeat(64);
export const theirs = 'b'.repeat(64);

/** All facts about a device on a current core. The artifacts in {@link sound} are built for this device. */
export const device: DeviceFacts = {
  core: '3.1.2',
  signing: 'required',
  keyFingerprint: ours,
  flashMode: 'dio',
  chipSizeBytes: 0x400000,
  fsStart: 0x200000,
  fsEnd: 0x3fa000,
  sketchSizeBytes: 300_000,
  transport: 'espota',
  atomicFs: false,
};

const image: ReleaseImage = {
  kind: 'sketch',
  core: '3.1.2',
  flashMode: 'dio',
  flashSizeBytes: 0x400000,
  contentBytes: 320_000,
  findings: [],
  layout: { fsStart: 0x200000, fsEnd: 0x3fa000 },
  traces: { sdkVersions: [], updater: true, arduinoOta: true, httpUpdate: false, webUpdater: false },
};

const filesystem: ReleaseImage = {
  kind: 'filesystem',
  contentBytes: 0x1fa000,
  findings: [],
  filesystem: { type: 'littlefs', blockSizeBytes: 8192, blockCount: 253, usedBytes: 0x8000, modeByte: 0 },
};

const raw: ReleaseArtifact = {
  file: 'door.bin',
  encoding: 'identity',
  signature: 'none',
  sizeBytes: 320_000,
  payloadBytes: 320_000,
};
const gzip: ReleaseArtifact = {
  file: 'door.bin.gz',
  encoding: 'gzip',
  signature: 'none',
  sizeBytes: 200_000,
  payloadBytes: 200_000,
  inflate: { sizeBytes: 320_000, lowestStaging: { erasesFirst: 90_112, inflatesFirst: 86_016 } },
};

function signed(artifact: ReleaseArtifact): ReleaseArtifact {
  const { file, sizeBytes } = artifact;
  return {
    ...artifact,
    file: `${file}.signed`,
    signature: 'current',
    sizeBytes: sizeBytes + 260,
    keyFingerprint: ours,
  };
}

const ofFilesystem = (artifact: ReleaseArtifact, sizeBytes: number): ReleaseArtifact => ({
  ...artifact,
  file: artifact.file.replace('door', 'fs'),
  sizeBytes,
  payloadBytes: sizeBytes,
  ...(artifact.encoding === 'gzip' ? { inflate: { sizeBytes: 0x1fa000 } } : {}),
});

/** Valid artifacts. */
export const sound = {
  raw,
  gzip,
  rawSigned: signed(raw),
  gzipSigned: signed(gzip),
  fsRaw: ofFilesystem(raw, 0x1fa000),
  fsGzip: ofFilesystem(gzip, 60_000),
  fsRawSigned: signed(ofFilesystem(raw, 0x8000)),
  fsGzipSigned: signed(ofFilesystem(gzip, 60_000)),
} as const;

/** Differences from the valid test case. */
export interface Case {
  readonly artifact?: ReleaseArtifact;
  readonly image?: Partial<ReleaseImage>;
  readonly release?: Partial<Release>;
  /** Device facts; null checks the build without a device. */
  readonly facts?: Partial<DeviceFacts> | null;
  readonly publishing?: boolean;
  readonly previous?: Release;
  readonly errors?: readonly string[];
}

/** Returns a release with only this artifact. A file whose name starts with `fs` is a filesystem image. */
export function releaseOf(artifact: ReleaseArtifact, changes: Partial<ReleaseImage> = {}): Release {
  const isFilesystem = artifact.file.startsWith('fs');
  return {
    image: { ...(isFilesystem ? filesystem : image), ...changes },
    embeddedKeys: isFilesystem ? [] : [ours],
    enforcement: 'elf',
    signing: {},
    artifacts: [artifact],
  };
}

/** Runs one preflight rule. */
export function runRule({ check }: Pick<Rule, 'check'>, given: Case = {}): ReturnType<Rule['check']> {
  const artifact = given.artifact ?? sound.rawSigned;
  const release = { ...releaseOf(artifact, given.image), ...given.release };
  const facts = given.facts === null ? undefined : { ...device, ...given.facts };
  return check({
    release,
    image: release.image,
    artifact,
    device: facts && knownDevice(facts),
    publishing: given.publishing ?? false,
    previous: given.previous,
    errors: given.errors ?? [],
  });
}

/** Asserts that the rule blocks the update with a matching message and a fix. */
export function blocks(t: ExecutionContext, rule: Pick<Rule, 'check'>, given: Case, saying: RegExp): void {
  objects(t, rule, given, 'error', saying);
}

export function warns(t: ExecutionContext, rule: Pick<Rule, 'check'>, given: Case, saying: RegExp): void {
  objects(t, rule, given, 'warning', saying);
}

export function isSilent(t: ExecutionContext, rule: Pick<Rule, 'check'>, given: Case = {}): void {
  t.is(runRule(rule, given), undefined);
}

function objects(
  t: ExecutionContext,
  rule: Pick<Rule, 'check'>,
  given: Case,
  severity: 'error' | 'warning',
  saying: RegExp,
): void {
  const finding = runRule(rule, given);
  t.is(finding?.severity, severity);
  t.regex(finding?.message ?? '', saying);
  t.not(finding?.fix ?? '', '');
  t.notRegex(`${finding?.message} ${finding?.fix}`, /undefined|NaN|\.$/);
}

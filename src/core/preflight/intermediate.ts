import type { SignatureFormat } from '../model/artifact.ts';
import type { DeviceFacts } from '../model/device-facts.ts';
import { freeBytes, knownDevice, possibleTransports, sketchCapacity } from './device.ts';
import type { BlockedArtifact } from './explanation.ts';
import { type Plan, plan } from './plan.ts';
import type { Release, ReleaseArtifact } from './release.ts';

/** Folder of the intermediate sketch in `templates/sketches` of the package. */
export const intermediateSketch = 'IntermediateUpdate';

/** Intermediate sketch that would make a blocked update possible in two hops. It is not built yet. */
export interface IntermediateProposal {
  /** Maximum size of the signed artifact of the intermediate sketch, in bytes. */
  readonly mostBytes: number;
  /** Artifact of the target that the second hop would send. */
  readonly lastArtifact: string;
}

/**
 * Estimated size of the intermediate sketch, which contains the Wi-Fi stack, espota, the web updater and BearSSL. It is not measured. The
 * planner checks the actual size once the sketch is built.
 */
const assumedBytes = 300 * 1024;

/**
 * Returns the intermediate sketch that makes a blocked update possible: no raw artifact fits, no gzip artifact is safe, and a small signed
 * sketch of the same build environment fits and could install the target. Returns undefined if other rules block the update, or if the
 * project has no key: the intermediate sketch must verify signatures.
 */
export function proposeIntermediate(
  facts: DeviceFacts,
  target: Release,
  decision: Plan<Release>,
  allow: ReadonlySet<string>,
): IntermediateProposal | undefined {
  if (decision.kind !== 'blocked' || !decision.artifacts.some(lacksSpace)) return undefined;
  const mostBytes = capacityOf(facts);
  const intermediate = unbuiltIntermediate(target);
  if (mostBytes === undefined || intermediate === undefined) return undefined;
  const path = plan<Release>({ facts, target, intermediateReleases: [intermediate], allow });
  const last = path.kind === 'hops' ? path.hops.at(-1) : undefined;
  return last && { mostBytes, lastArtifact: last.artifact.file };
}

function lacksSpace({ findings }: BlockedArtifact): boolean {
  return findings.some(({ rule }) => rule === 'no-space');
}

/** Returns the space that every possible transport has for the next sketch, in bytes. */
function capacityOf(facts: DeviceFacts): number | undefined {
  const device = knownDevice(facts);
  if (freeBytes(device) === undefined) return undefined;
  return Math.min(...possibleTransports(device).map((transport) => sketchCapacity(device, transport) ?? 0));
}

/** Returns the intermediate sketch as a build for the target's board with the target's core, layout and key would create it. */
function unbuiltIntermediate(target: Release): Release | undefined {
  const key = target.signing.publicKey;
  if (key === undefined || target.image.kind !== 'sketch') return undefined;
  const trailerBytes = key.bits / 8 + 4;
  const isLegacyToo = target.artifacts.some(({ signature }) => signature === 'legacy');
  const formats: readonly SignatureFormat[] = isLegacyToo ? ['current', 'legacy'] : ['current'];
  const artifacts = formats.map(
    (signature): ReleaseArtifact => ({
      file: `${intermediateSketch}.ino.bin`,
      encoding: 'identity',
      signature,
      sizeBytes: assumedBytes + trailerBytes,
      payloadBytes: assumedBytes,
      keyFingerprint: key.fingerprint,
    }),
  );
  return {
    ...target,
    version: undefined,
    image: { ...target.image, findings: [], contentBytes: assumedBytes, sketchSizeBytes: undefined },
    embeddedKeys: [key.fingerprint],
    artifacts,
  };
}

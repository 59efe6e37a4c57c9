import type { GuardFacts } from '../model/device-facts.ts';
import type { UpdateMetadata } from '../model/manifest.ts';
import type { PreflightFix } from '../model/preflight-fix.ts';
import { isSigned } from './release.ts';
import type { Context } from './rule.ts';

/** Guard of a device, and the metadata of a signed artifact that the guard checks. */
export interface GuardedArtifact {
  readonly guard: GuardFacts;
  /** Undefined: the artifact contains no metadata. */
  readonly metadata: UpdateMetadata | undefined;
}

/** Returns what the guard of the device checks after the signature; undefined without the guard, or for an unsigned artifact. */
export function guardedArtifact({ artifact, device }: Context): GuardedArtifact | undefined {
  const guard = device?.facts.guard;
  return guard === undefined || !isSigned(artifact) ? undefined : { guard, metadata: artifact.metadata };
}

/** Returns a fix that packs the image with metadata that the guard accepts. */
export function packForGuard({ product, securityVersion }: GuardFacts): PreflightFix {
  return { action: 'pack', metadata: { product, securityVersion } };
}

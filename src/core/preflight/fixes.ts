import type { Transport } from '../device-model/staging.ts';
import type { ImageKind } from '../model/artifact.ts';
import type { DeviceFacts } from '../model/device-facts.ts';
import type { ArtifactForm, PreflightFix } from '../model/preflight-fix.ts';
import { type Device, expectedFormat } from './device.ts';
import { isSigned, type ReleaseArtifact } from './release.ts';

/** Facts with an option. The checks of a guard are read from an image, because no person knows their numbers. */
type FactWithOption = Exclude<keyof DeviceFacts, 'guard'>;

/** Options of `preflight` that specify facts about the device. `upload` has the same options, except for the transport and the kind. */
export const factOptions = {
  core: '--core',
  signing: '--signing',
  keyFingerprint: '--key-fingerprint',
  format: '--format',
  flashMode: '--flash-mode',
  chipSizeBytes: '--chip-size',
  fsStart: '--fs-start',
  fsEnd: '--fs-end',
  sketchSizeBytes: '--sketch-size',
  transport: '--transport',
  flashMap: '--flash-map',
  atomicFs: '--atomic-fs',
  kind: '--kind',
  project: '--project',
  board: '--board',
} as const satisfies Record<FactWithOption, string>;

/** Returns a fix that sends a different artifact of the build. */
export function sendForm(form: ArtifactForm): PreflightFix {
  return { action: 'send', form };
}

export function specify(...facts: FactWithOption[]): PreflightFix {
  return { action: 'specify', facts, options: facts.map((fact) => factOptions[fact]) };
}

export function useTransport(...transports: Transport[]): PreflightFix {
  return { action: 'transport', transports, options: transports.map((transport) => `--transport ${transport}`) };
}

export function sendAs(kind: ImageKind): PreflightFix {
  return { action: 'send-as', kind, options: [`--kind ${kind}`] };
}

export function allow(rule: string): PreflightFix {
  return { action: 'allow', rule, options: [`--allow ${rule}`] };
}

/**
 * Returns a fix that first installs a sketch whose core accepts this compressed artifact. The eboot of cores 2.7.0 and 2.7.2 can hang, and
 * eboot accepts signed gzip data from core 3.0.0 on.
 */
export function updateToGzip(artifact: ReleaseArtifact): PreflightFix {
  return { action: 'update-first', core: isSigned(artifact) ? '3.0.0' : '2.7.3' };
}

/** Returns true if an artifact has a form. */
export function hasForm(artifact: ReleaseArtifact, form: ArtifactForm): boolean {
  const isRaw = artifact.encoding === 'identity';
  switch (form) {
    case 'raw':
      return isRaw;
    case 'raw signed':
      return isRaw && isSigned(artifact);
    case 'raw legacy-signed':
      return isRaw && artifact.signature === 'legacy';
    case 'gzip':
      return !isRaw;
    case 'unsigned gzip':
      return !isRaw && !isSigned(artifact);
  }
}

/** Returns the form of a signed raw artifact that the device verifies. */
export function signedForm(device: Device): ArtifactForm {
  return expectedFormat(device) === 'legacy' ? 'raw legacy-signed' : 'raw signed';
}

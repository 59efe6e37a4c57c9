import type { Firmware } from '../firmware/firmware.ts';
import type { FlashLayout } from '../firmware/flash-layout.ts';
import { imageFacts, inflateFacts } from './image-facts.ts';
import type { Release, ReleaseArtifact } from './release.ts';

/** What is known of a file besides its bytes. */
export interface FileContext {
  readonly file: string;
  /** What it is meant to be, where the bytes don't tell: SPIFFS images may have no mark of their own. */
  readonly kind?: 'sketch' | 'filesystem' | undefined;
  readonly enforcement?: Release['enforcement'] | undefined;
  /** From the ELF beside it. */
  readonly layout?: FlashLayout | undefined;
  readonly gzipBytes?: number | undefined;
}

/** Any file, an image or an artifact, as a release of its own with nothing else in it. */
export function fileRelease(firmware: Firmware, context: FileContext): Release {
  const { layout } = context;
  const kind = firmware.kind === 'unknown' && context.kind === 'filesystem' ? 'filesystem' : firmware.kind;
  return {
    image: {
      kind,
      ...imageFacts(firmware, kind === 'filesystem'),
      layout: layout && { fsStart: layout.fsStart, fsEnd: layout.fsEnd },
      gzipBytes: context.gzipBytes,
    },
    embeddedKeys: kind === 'sketch' ? firmware.embeddedKeys.map(({ key }) => key.fingerprint) : [],
    enforcement: context.enforcement ?? 'unproven',
    signing: {},
    artifacts: [fileArtifact(firmware, context.file, kind === 'sketch')],
  };
}

function fileArtifact(firmware: Firmware, file: string, isSketch: boolean): ReleaseArtifact {
  const { encoding, trailer, payload, content } = firmware;
  const inflates = encoding === 'gzip' && content.length > 0;
  return {
    file,
    encoding,
    signature: trailer === undefined ? 'none' : trailer.format,
    sizeBytes: firmware.sizeBytes,
    payloadBytes: payload.length,
    inflate: inflates ? inflateFacts(payload, content, isSketch) : undefined,
    keyFingerprint: trailer?.verifiedBy?.fingerprint,
  };
}

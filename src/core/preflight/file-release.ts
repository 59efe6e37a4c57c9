import type { Firmware } from '../firmware/firmware.ts';
import type { FlashLayout } from '../firmware/flash-layout.ts';
import { imageFacts, inflateFacts } from './image-facts.ts';
import type { Release, ReleaseArtifact, ReleaseImage } from './release.ts';

/** Known facts about a file that are not in its bytes. */
export interface FileContext {
  readonly file: string;
  /** Kind of image, used if the kind cannot be detected from the bytes. Some SPIFFS images have no magic number. */
  readonly kind?: 'sketch' | 'filesystem' | undefined;
  readonly enforcement?: Release['enforcement'] | undefined;
  /** Flash layout from the build's ELF file. */
  readonly layout?: FlashLayout | undefined;
  readonly symbols?: ReleaseImage['symbols'] | undefined;
  readonly gzipBytes?: number | undefined;
}

/** Returns a release that contains only one file: an image or an artifact. */
export function fileRelease(firmware: Firmware, context: FileContext): Release {
  const { layout } = context;
  const kind = firmware.kind === 'unknown' && context.kind === 'filesystem' ? 'filesystem' : firmware.kind;
  return {
    image: {
      kind,
      ...imageFacts(firmware, kind === 'filesystem'),
      layout: layout && { fsStart: layout.fsStart, fsEnd: layout.fsEnd },
      symbols: context.symbols,
      gzipBytes: context.gzipBytes,
    },
    embeddedKeys: kind === 'sketch' ? firmware.embeddedKeys.map(({ key }) => key.fingerprint) : [],
    enforcement: context.enforcement ?? 'unproven',
    signing: {},
    artifacts: [fileArtifact(firmware, context.file, kind === 'sketch')],
  };
}

function fileArtifact(firmware: Firmware, file: string, isSketch: boolean): ReleaseArtifact {
  const { encoding, trailer, payload, metadata, content } = firmware;
  const inflates = encoding === 'gzip' && content.length > 0;
  return {
    file,
    encoding,
    signature: trailer === undefined ? 'none' : trailer.format,
    sizeBytes: firmware.sizeBytes,
    payloadBytes: payload.length,
    inflate: inflates ? inflateFacts(payload, content, isSketch) : undefined,
    metadata,
    keyFingerprint: trailer?.verifiedBy?.fingerprint,
  };
}

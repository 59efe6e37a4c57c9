import { flashModes, flashSizesByNibble } from '../../firmware/flash-header.ts';
import type { UpdateMetadata } from '../../model/manifest.ts';
import { guardedArtifact, packForGuard } from '../guarded.ts';
import { type Context, error, type Rule } from '../rule.ts';

export const guardMetadata = {
  id: 'guard-metadata',
  condition:
    'The metadata of a signed artifact does not describe the artifact: kind, flash mode, flash size, size of the gzip data or lowest staging address. A device with the guard relies on the metadata, and rejects the artifact (ERROR 12, rejection 1, 4, 6, 7, 8 or 9) or installs what it should reject.',
  severity: 'error',
  cores: 'device with the guard',
  evidence: ['Updater_Signing.h of ota-hooks: check, Hash::add', 'Updater.cpp end'],
  check(context) {
    const { guard, metadata } = guardedArtifact(context) ?? {};
    if (guard === undefined || metadata === undefined) return undefined;
    const [difference] = differences(metadata, context);
    if (difference === undefined) return undefined;
    return error(`the metadata does not describe the artifact: ${difference}`, packForGuard(guard));
  },
} as const satisfies Rule;

function* differences(metadata: UpdateMetadata, { image, artifact, device }: Context): Generator<string> {
  const kind = image.kind === 'unknown' ? device?.facts.kind : image.kind;
  if (kind !== undefined && metadata.kind !== kind) yield `it says ${metadata.kind}, not ${kind}`;
  const isGzip = artifact.encoding === 'gzip';
  const { memberBytes, lowestStart, flashModeByte, flashSizeByte } = metadata;
  if (isGzip && memberBytes !== artifact.payloadBytes) {
    yield `it says ${memberBytes} bytes of gzip data, not ${artifact.payloadBytes}`;
  }
  const lowest = artifact.inflate?.lowestStaging?.erasesFirst ?? 0;
  if (isGzip && lowestStart !== lowest) yield `it says ${lowestStart} as the lowest staging address, not ${lowest}`;
  if (kind !== 'sketch') return;
  const mode = flashModes[flashModeByte];
  if (mode !== image.flashMode) yield `it says flash mode ${mode ?? 'unknown'}, not ${image.flashMode ?? 'unknown'}`;
  const sizeBytes = flashSizesByNibble.get(flashSizeByte >> 4);
  if (sizeBytes !== image.flashSizeBytes) {
    yield `it says ${sizeBytes ?? 'unknown'} bytes of flash, not ${image.flashSizeBytes ?? 'unknown'}`;
  }
}

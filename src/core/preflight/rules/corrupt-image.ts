import type { FindingId } from '../../firmware/finding.ts';
import { error, type Rule } from '../rule.ts';

/** IDs of findings for an image that no device can run, or that differs from the original build. */
const damage: ReadonlySet<string> = new Set<FindingId>([
  'empty-file',
  'unknown-content',
  'eboot-header-truncated',
  'application-missing',
  'application-header-truncated',
  'no-segments',
  'segment-header-truncated',
  'segment-past-end',
  'segment-misplaced',
  'segment-address-unknown',
  'eboot-too-large',
  'image-truncated',
  'entry-outside-segments',
  'checksum-mismatch',
  'eboot-checksum-mismatch',
  'crc-size-mismatch',
  'crc-mismatch',
  'gzip-header-truncated',
  'gzip-method-unknown',
  'gzip-reserved-flags',
  'gzip-corrupt',
  'gzip-truncated',
  'gzip-crc-mismatch',
  'gzip-size-mismatch',
  'gzip-nested',
  'filesystem-superblock-invalid',
  'filesystem-truncated',
]);

export const corruptImage = {
  id: 'corrupt-image',
  condition:
    "The checksum, the CRC (by the rule of the image's core), the segment table, the gzip data or the superblock is invalid, or the file is not firmware.",
  severity: 'error',
  cores: 'all',
  evidence: ['elf2bin.py write_bin, add_crc', 'eboot.c load_app_from_flash_raw', 'Updater.cpp: checks none of these'],
  check({ image, artifact }) {
    const fix = { action: 'build' } as const;
    const finding = image.findings.find(({ id }) => damage.has(id));
    if (finding !== undefined) return error(finding.message, fix);
    const foreign = image.findings.find(({ id }) => id === 'foreign-image');
    if (foreign !== undefined) return error(foreign.message, fix);
    if (artifact.encoding === 'gzip' && artifact.inflate === undefined) {
      return error('the gzip data does not inflate with the decompressor of eboot (uzlib)', fix);
    }
    return image.kind === 'unknown'
      ? error('the file is neither a sketch image nor a filesystem image', fix)
      : undefined;
  },
} as const satisfies Rule;

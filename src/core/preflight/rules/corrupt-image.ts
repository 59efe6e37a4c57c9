import type { FindingId } from '../../firmware/finding.ts';
import { type Rule, refuse } from '../rule.ts';

/** Findings after which no device could run the image, or which show that it is not what was built. */
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
    "checksum, CRC (by the rule of the image's own core), segment table, gzip or superblock are wrong, or the file is no firmware at all",
  severity: 'refuse',
  cores: 'all',
  evidence: ['elf2bin.py write_bin, add_crc', 'eboot.c load_app_from_flash_raw', 'Updater.cpp: it checks none of it'],
  check({ image, artifact }) {
    const instead = 'build it again; if it was downloaded, fetch it again';
    const finding = image.findings.find(({ id }) => damage.has(id));
    if (finding !== undefined) return refuse(finding.message, instead);
    if (artifact.encoding === 'gzip' && artifact.inflate === undefined) {
      return refuse('the gzip does not inflate with the code that eboot uses', instead);
    }
    return image.kind === 'unknown' ? refuse('it is neither a sketch nor a filesystem', instead) : undefined;
  },
} as const satisfies Rule;

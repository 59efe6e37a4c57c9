import type { FindingId } from '../../firmware/finding.ts';
import { error, type Rule } from '../rule.ts';

const trailing: ReadonlySet<string> = new Set<FindingId>(['gzip-second-member', 'data-after-gzip']);

export const trailingData = {
  id: 'trailing-data',
  condition:
    'A second gzip member, or bytes other than a signature after the gzip data: eboot writes corrupt data and reports nothing. Data after a raw image, or inside the gzip data, is harmless.',
  severity: 'error',
  cores: 'device on 2.7.0 or later',
  evidence: [
    'eboot.c copy_raw: the last word is the size',
    'uzlib tinfgzip.c',
    'Updater.cpp: ignores bytes after a raw image',
  ],
  check({ image }) {
    const finding = image.findings.find(({ id }) => trailing.has(id));
    return finding && error(finding.message, { action: 'append-first' });
  },
} as const satisfies Rule;

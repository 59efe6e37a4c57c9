import { error, type Rule } from '../rule.ts';

export const trailingData = {
  id: 'trailing-data',
  condition:
    'A second gzip member, or bytes other than a signature after the gzip data or the image: eboot writes corrupt data and reports nothing.',
  severity: 'error',
  cores: 'device on 2.7.0 or later',
  evidence: ['eboot.c copy_raw: the last word is the size', 'uzlib tinfgzip.c'],
  check({ image }) {
    const finding = image.findings.find(({ id }) => id === 'gzip-second-member' || id === 'trailing-data');
    return (
      finding &&
      error(finding.message, 'send the output of the build, compressed once and followed only by a signature')
    );
  },
} as const satisfies Rule;

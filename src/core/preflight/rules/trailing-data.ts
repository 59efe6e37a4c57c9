import { type Rule, refuse } from '../rule.ts';

export const trailingData = {
  id: 'trailing-data',
  condition:
    'a second gzip member, or bytes that are no signature after a gzip or an image: eboot corrupts what it writes without a word',
  severity: 'refuse',
  cores: 'device on 2.7.0 or later',
  evidence: ['eboot.c copy_raw: the last word is the size', 'uzlib tinfgzip.c'],
  check({ image }) {
    const finding = image.findings.find(({ id }) => id === 'gzip-second-member' || id === 'trailing-data');
    return (
      finding &&
      refuse(finding.message, 'send what the build made, compressed once and with nothing behind it but a signature')
    );
  },
} as const satisfies Rule;

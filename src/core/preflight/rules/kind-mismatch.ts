import { type Rule, refuse } from '../rule.ts';

export const kindMismatch = {
  id: 'kind-mismatch',
  condition:
    'a filesystem where a sketch is expected, or the reverse; the signature does not tell, and a gzip is not looked into',
  severity: 'refuse',
  cores: 'all',
  evidence: ['Updater.cpp _verifyEnd', 'eboot.c copy_raw'],
  check({ image, device }) {
    const expected = device?.facts.kind;
    if (expected === undefined || image.kind === 'unknown' || image.kind === expected) return undefined;
    return refuse(
      `it is a ${image.kind}, and would be taken for a ${expected}`,
      image.kind === 'sketch'
        ? 'send it as a sketch (espota command 0)'
        : 'send it as a filesystem (espota command 100)',
    );
  },
} as const satisfies Rule;

import { sendAs } from '../fixes.ts';
import { error, type Rule } from '../rule.ts';

export const kindMismatch = {
  id: 'kind-mismatch',
  condition:
    'A filesystem image where a sketch is expected, or the reverse. The signature does not contain the kind, and the Updater does not inspect compressed data.',
  severity: 'error',
  cores: 'all',
  evidence: ['Updater.cpp _verifyEnd', 'eboot.c copy_raw'],
  check({ image, device }) {
    const expected = device?.facts.kind;
    if (expected === undefined || image.kind === 'unknown' || image.kind === expected) return undefined;
    return error(`the image is a ${image.kind}, but would be installed as a ${expected}`, sendAs(image.kind));
  },
} as const satisfies Rule;

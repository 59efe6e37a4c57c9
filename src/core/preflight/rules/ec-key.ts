import { expectedKey } from '../expected-key.ts';
import { allow } from '../fixes.ts';
import { error, type Rule, warning } from '../rule.ts';

export const ecKey = {
  id: 'ec-key',
  condition:
    'The sketch contains a public key that is not RSA, and no RSA key: a device built with such a key can never be updated again. Warning if the sketch also contains RSA keys, but none of them is known to sign updates.',
  severity: 'error or warning',
  cores: 'all',
  evidence: ['BearSSLHelpers.cpp SigningVerifier::length: odd for EC keys', 'bearssl br_ecdsa_i31_vrfy_raw'],
  check(context) {
    const { release, image } = context;
    const finding = image.findings.find(({ id }) => id === 'embedded-key-not-rsa');
    if (image.kind !== 'sketch' || finding === undefined) return undefined;
    const expected = expectedKey(context);
    if (expected !== undefined && release.embeddedKeys.includes(expected)) return undefined;
    const fixes = [{ action: 'embed-key', keyFingerprint: expected }, allow('ec-key')] as const;
    return release.embeddedKeys.length === 0
      ? error(`${finding.message}; the sketch contains no RSA key`, ...fixes)
      : warning(finding.message, ...fixes);
  },
} as const satisfies Rule;

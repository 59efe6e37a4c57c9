import { expectedKey } from '../expected-key.ts';
import { type Rule, refuse, warn } from '../rule.ts';

export const ecKey = {
  id: 'ec-key',
  condition:
    'a sketch with a public key that is not RSA and with no RSA key beside it: a device built with one can never be updated again. Beside RSA keys of which none is known to be the right one: a warning',
  severity: 'refuse or warn',
  cores: 'all',
  evidence: ['BearSSLHelpers.cpp SigningVerifier::length: odd for EC keys', 'bearssl br_ecdsa_i31_vrfy_raw'],
  check(context) {
    const { release, image } = context;
    const finding = image.findings.find(({ id }) => id === 'embedded-key-not-rsa');
    if (image.kind !== 'sketch' || finding === undefined) return undefined;
    const expected = expectedKey(context);
    if (expected !== undefined && release.embeddedKeys.includes(expected)) return undefined;
    const instead =
      'build with an RSA key (ota-hooks keygen); if this key is not there to verify updates, allow this rule';
    return release.embeddedKeys.length === 0
      ? refuse(`${finding.message}, and no RSA key is there`, instead)
      : warn(finding.message, instead);
  },
} as const satisfies Rule;

import { isSigned } from '../release.ts';
import { type Rule, refuse, warn } from '../rule.ts';

export const wrongKey = {
  id: 'wrong-key',
  condition:
    'signed by another key than the one that the device holds, or by none that is known (a warning, where no key could be tried)',
  severity: 'refuse or warn',
  cores: 'all; before 2.7.0 the device crashes',
  evidence: ['esp8266/Arduino#7145', 'Updater.cpp end'],
  check({ image, artifact, device }) {
    if (device === undefined || !isSigned(artifact) || device.facts.signing === 'none') return undefined;
    const { keyFingerprint, signing } = device.facts;
    const answer = device.habits?.crashesOnBadSignature === true ? 'crash' : 'answer ERROR 12';
    if (artifact.signature === 'unverified') {
      const instead = 'sign it with the key that the device holds, or name that key with --public-key';
      const tried = image.findings.find(({ id }) => id === 'signature-unverified');
      if (tried === undefined) return warn('no key is known with which the signature could be verified', instead);
      return signing === 'required'
        ? refuse(`${tried.message}: the device would ${answer}`, instead)
        : warn(`${tried.message}: if the device verifies, it will ${answer}`, instead);
    }
    if (keyFingerprint === undefined || artifact.keyFingerprint === keyFingerprint) return undefined;
    return refuse(
      `it is signed by key ${short(artifact.keyFingerprint)}, and the device holds ${short(keyFingerprint)}: it would ${answer}`,
      `sign it with key ${short(keyFingerprint)}`,
    );
  },
} as const satisfies Rule;

function short(fingerprint: string | undefined): string {
  return fingerprint === undefined ? 'unknown' : `${fingerprint.slice(0, 16)}…`;
}

import { isSigned } from '../release.ts';
import { error, type Rule, warning } from '../rule.ts';

export const wrongKey = {
  id: 'wrong-key',
  condition:
    "The artifact is signed with a key that does not match the device's key, or any of its keys with the guard, or with an unknown key. Warning if no public key is available to verify the signature.",
  severity: 'error or warning',
  cores: 'all; before 2.7.0 the device crashes',
  evidence: ['esp8266/Arduino#7145', 'Updater.cpp end'],
  check({ image, artifact, device }) {
    if (device === undefined || !isSigned(artifact) || device.facts.signing === 'none') return undefined;
    const { signing, guard } = device.facts;
    // A device with the guard also accepts the other keys of its project.
    const accepted = guard?.keys ?? (device.facts.keyFingerprint === undefined ? [] : [device.facts.keyFingerprint]);
    const [keyFingerprint] = accepted;
    const reaction =
      device.capabilities?.crashesOnBadSignature === true && guard === undefined
        ? 'crash'
        : 'reject the update with ERROR 12';
    if (artifact.signature === 'unverified') {
      const sign = { action: 'sign', keyFingerprint } as const;
      const tried = image.findings.find(({ id }) => id === 'signature-unverified');
      if (tried === undefined) {
        return warning('the signature cannot be verified: no public key is available', sign, {
          action: 'specify',
          facts: ['keyFingerprint'],
          options: ['--public-key'],
        });
      }
      return signing === 'required'
        ? error(`${tried.message}: the device would ${reaction}`, sign)
        : warning(`${tried.message}: if the device verifies signatures, it will ${reaction}`, sign);
    }
    if (accepted.length === 0 || accepted.includes(artifact.keyFingerprint ?? '')) return undefined;
    return error(
      `the artifact is signed with key ${short(artifact.keyFingerprint)}, but the device has ${accepted.length === 1 ? 'key' : 'keys'} ${accepted.map(short).join(', ')}: it would ${reaction}`,
      { action: 'sign', keyFingerprint },
    );
  },
} as const satisfies Rule;

function short(fingerprint: string | undefined): string {
  return fingerprint === undefined ? 'unknown' : `${fingerprint.slice(0, 16)}…`;
}

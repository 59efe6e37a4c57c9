import { expectedFormat } from '../device.ts';
import { isSigned } from '../release.ts';
import { type Rule, refuse, warn } from '../rule.ts';

export const formatBoundary = {
  id: 'format-boundary',
  condition:
    'a legacy signature to a device on 2.6.0 or later, or a current one to a device before it. Not known: a warning for legacy',
  severity: 'refuse or warn',
  cores: 'the boundary is 2.6.0',
  evidence: ['esp8266/Arduino#6201', 'esp8266/Arduino#6250', 'Updater.cpp end', 'BearSSLHelpers.cpp'],
  check({ artifact, device }) {
    if (device === undefined || !isSigned(artifact) || device.facts.signing === 'none') return undefined;
    const { signature } = artifact;
    if (signature === 'none' || signature === 'unverified') return undefined;
    const expected = expectedFormat(device);
    if (expected === signature) return undefined;
    const instead =
      signature === 'legacy'
        ? 'send the artifact with the current signature (.signed)'
        : 'two hops: the raw image with a legacy signature first (.legacy_sig, `ota-hooks pack --legacy`), the current one from then on';
    if (expected === undefined) {
      if (signature === 'current' || device.habits?.signing === 'none') return undefined;
      return warn(
        'the signature is of the format before core 2.6.0, and it is not known which one the device understands',
        instead,
      );
    }
    const message = `the signature is ${signature}, and the device understands ${expected} ones`;
    return device.facts.signing === 'required' ? refuse(message, instead) : warn(message, instead);
  },
} as const satisfies Rule;

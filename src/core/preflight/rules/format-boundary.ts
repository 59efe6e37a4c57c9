import { expectedFormat } from '../device.ts';
import { sendForm } from '../fixes.ts';
import { isSigned } from '../release.ts';
import { error, type Rule, warning } from '../rule.ts';

export const formatBoundary = {
  id: 'format-boundary',
  condition:
    'A legacy signature for a device on core 2.6.0 or later, or a current signature for a device on an older core. Warning for a legacy signature if the format of the device is unknown.',
  severity: 'error or warning',
  cores: 'the boundary is 2.6.0',
  evidence: ['esp8266/Arduino#6201', 'esp8266/Arduino#6250', 'Updater.cpp end', 'BearSSLHelpers.cpp'],
  check({ artifact, device }) {
    if (device === undefined || !isSigned(artifact) || device.facts.signing === 'none') return undefined;
    const { signature } = artifact;
    if (signature === 'none' || signature === 'unverified') return undefined;
    const expected = expectedFormat(device);
    if (expected === signature) return undefined;
    const fix =
      signature === 'legacy' ? ({ action: 'sign', format: 'current' } as const) : sendForm('raw legacy-signed');
    if (expected === undefined) {
      if (signature === 'current' || device.capabilities?.signing === 'none') return undefined;
      return warning(
        'the signature has the format used before core 2.6.0, and the format that the device verifies is unknown',
        fix,
      );
    }
    const message = `the signature has the ${signature} format, but the device verifies the ${expected} format`;
    return device.facts.signing === 'required' ? error(message, fix) : warning(message, fix);
  },
} as const satisfies Rule;

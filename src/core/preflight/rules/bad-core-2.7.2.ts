import { roundUpToSector } from '../../device-model/flash.ts';
import { type Device, possibleTransports, sketchStaging } from '../device.ts';
import type { ReleaseArtifact } from '../release.ts';
import { type Objection, type Rule, refuse, warn } from '../rule.ts';

export const badCore272 = {
  id: 'bad-core-2.7.2',
  condition:
    'an image built with core 2.7.2; a sketch to a device on it whose copy would reach the staged bytes, since its eboot compares after the copy and then hangs. An image whose core is not known: a warning',
  severity: 'refuse or warn',
  cores: 'image or device on 2.7.2',
  evidence: ['esp8266/Arduino#7458', 'esp8266/Arduino#7468', 'eboot.c main'],
  check({ image, artifact, device }) {
    if (image.kind !== 'sketch') return undefined;
    if (image.core === '2.7.2') {
      return refuse(
        'the image brings the eboot of core 2.7.2, which hangs after an update whose copy overlaps the staged bytes',
        'build with core 2.7.3 or later',
      );
    }
    if (device?.habits?.comparesAfterCopy === true) return onDevice(device, artifact);
    if (image.core !== undefined) return undefined;
    return warn(
      'the image does not say which release of the core it was built with, so that 2.7.0 and 2.7.2 cannot be told',
      'build with a release of the core, 2.7.3 or later',
    );
  },
} as const satisfies Rule;

/** The signature is copied too, unless there is nobody to cut it off. */
function onDevice(device: Device, artifact: ReleaseArtifact): Objection | undefined {
  const copiedBytes = roundUpToSector(
    artifact.encoding === 'gzip' ? (artifact.inflate?.sizeBytes ?? 0) : artifact.sizeBytes,
  );
  const stagings = possibleTransports(device).map((transport) => sketchStaging(device, transport, artifact.sizeBytes));
  const reached = stagings.filter((staging) => staging !== undefined && copiedBytes > staging);
  const lowest = Math.min(...reached.map((staging) => staging ?? 0));
  const instead = 'send a smaller sketch, built with core 2.7.3 or later, first';
  if (reached.length > 0) {
    const message = `the device runs core 2.7.2, the update would be staged at ${lowest} and its copy would end at ${copiedBytes}: eboot would hang until the power is cut`;
    const isCertain = reached.length === stagings.length || artifact.encoding === 'gzip';
    return isCertain ? refuse(message, instead) : warn(`${message}, if it is sent to the web updater`, instead);
  }
  if (!stagings.includes(undefined)) return undefined;
  return warn(
    'the device runs core 2.7.2, whose eboot hangs when its copy reaches the staged bytes, and it is not known where they will be',
    'name the flash layout (--fs-start) and the size of the present sketch (--sketch-size)',
  );
}

import { roundUpToSector, sectorBytes } from '../../device-model/flash.ts';
import { type Device, possibleTransports, sketchStaging } from '../device.ts';
import { specify } from '../fixes.ts';
import type { ReleaseArtifact } from '../release.ts';
import { error, type Rule, type RuleFinding, warning } from '../rule.ts';

export const badCore272 = {
  id: 'bad-core-2.7.2',
  condition:
    'The image was built with core 2.7.2, or the device runs core 2.7.2 and the copy of the sketch would reach the staged bytes: the eboot of core 2.7.2 compares the copy with these bytes and then hangs. Warning if the core of the image, the core of the device or the staging address is unknown.',
  severity: 'error or warning',
  cores: 'image or device on 2.7.2',
  evidence: ['esp8266/Arduino#7458', 'esp8266/Arduino#7468', 'eboot.c main'],
  check({ image, artifact, device }) {
    if (image.kind !== 'sketch') return undefined;
    if (image.core === '2.7.2') {
      return error(
        'the image contains the eboot of core 2.7.2, which hangs after an update whose copy overlaps the staged bytes',
        { action: 'build', core: '2.7.3' },
      );
    }
    const isPossible = device !== undefined && device.capabilities?.comparesAfterCopy !== false;
    const found = isPossible ? onDevice(device, artifact) : undefined;
    // Every image of core 2.7.x has its size and CRC in the page of eboot.
    const isOther = image.core !== undefined || (image.crcRule !== undefined && image.crcRule !== 'eboot-page');
    if (found !== undefined || device?.capabilities?.comparesAfterCopy === true || isOther) return found;
    return warning('the core release of the image is unknown: it may be 2.7.0 or 2.7.2, whose eboot can hang', {
      action: 'build',
      core: '2.7.3',
    });
  },
} as const satisfies Rule;

/**
 * Returns the size up to which the copy of a sketch reaches no staged bytes: the web updater stages above the running sketch, the other
 * transports stage below the filesystem.
 */
function mostBytesOf(device: Device): number | undefined {
  const { fsStart } = device.facts;
  if (fsStart === undefined) return undefined;
  const web = possibleTransports(device).includes('web') ? sketchStaging(device, 'web', 0) : undefined;
  const half = fsStart / 2 - ((fsStart / 2) % sectorBytes);
  return Math.min(half, web ?? half);
}

/** Checks an update for a device whose core is 2.7.2 or unknown. Core 2.7.2 copies an uncompressed image together with its signature. */
function onDevice(device: Device, artifact: ReleaseArtifact): RuleFinding | undefined {
  const copiedBytes = roundUpToSector(
    artifact.encoding === 'gzip' ? (artifact.inflate?.sizeBytes ?? 0) : artifact.sizeBytes,
  );
  const stagings = possibleTransports(device).map((transport) => sketchStaging(device, transport, artifact.sizeBytes));
  const reached = stagings.filter((staging) => staging !== undefined && copiedBytes > staging);
  const lowest = Math.min(...reached.map((staging) => staging ?? 0));
  const fix = { action: 'update-first', core: '2.7.3', mostBytes: mostBytesOf(device) } as const;
  const isKnown = device.capabilities !== undefined;
  if (reached.length > 0) {
    const subject = isKnown ? 'the device runs core 2.7.2' : 'the core of the device is unknown and may be 2.7.2';
    const message = `${subject}, the update would be staged at ${lowest} and its copy would end at ${copiedBytes}: eboot would hang until a power cycle`;
    const isCertain = reached.length === stagings.length || artifact.encoding === 'gzip';
    if (!isKnown) return warning(message, specify('core'), fix);
    return isCertain ? error(message, fix) : warning(`${message} (if sent to the web updater)`, fix);
  }
  if (!isKnown || !stagings.includes(undefined)) return undefined;
  return warning(
    'the device runs core 2.7.2, whose eboot hangs if its copy reaches the staged bytes, and the staging address is unknown',
    specify('fsStart', 'sketchSizeBytes'),
  );
}

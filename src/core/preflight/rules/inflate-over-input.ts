import { possibleTransports, sketchStaging } from '../device.ts';
import { sendForm, specify, useTransport } from '../fixes.ts';
import { error, type Rule } from '../rule.ts';

export const inflateOverInput = {
  id: 'inflate-over-input',
  condition:
    'A gzip-compressed sketch is staged so low that eboot overwrites input that it has not read yet. It is safe only if 4096(k+1) <= S + 4096*ceil(consumed/4096) for each output block k of 4 KB while input remains (S: staging address). Also an error if the size of the running sketch is unknown, unless the transport stages from the top.',
  severity: 'error',
  cores: 'device on 2.7.0 or later',
  evidence: ['eboot.c copy_raw, uzlib_flash_read_cb', 'ESP8266HTTPUpdateServer-impl.h: the web updater stages low'],
  check({ image, artifact, device }) {
    if (device === undefined || artifact.encoding !== 'gzip' || image.kind !== 'sketch') return undefined;
    const lowest = artifact.inflate?.lowestStaging;
    if (lowest === undefined || device.facts.fsStart === undefined) return undefined;
    const { erasesFirst, inflatesFirst } = lowest;
    const erasesBeforeInflating = device.capabilities?.erasesBeforeInflating ?? true;
    const needed = erasesBeforeInflating ? erasesFirst : inflatesFirst;
    const stagingFromTop = sketchStaging(device, 'espota', artifact.sizeBytes);
    for (const transport of possibleTransports(device)) {
      const staging = sketchStaging(device, transport, artifact.sizeBytes);
      if (staging === undefined) {
        return error(
          'the size of the running sketch is unknown, so the staging address of the compressed image in the web updater is unknown',
          sendForm('raw'),
          specify('sketchSizeBytes'),
          useTransport('espota', 'http'),
        );
      }
      if (staging < needed) {
        return error(
          `over ${transport}, the compressed image would be staged at ${staging}, and below ${needed} eboot overwrites data that it has not inflated yet: the sketch would be destroyed`,
          sendForm('raw'),
          ...(stagingFromTop !== undefined && stagingFromTop >= needed ? [useTransport('espota', 'http')] : []),
          // Below the staging address, the output of eboot reaches no input.
          { action: 'build', mostBytes: staging },
        );
      }
    }
    return undefined;
  },
} as const satisfies Rule;

import { possibleTransports, sketchStaging } from '../device.ts';
import { sendForm, useTransport } from '../fixes.ts';
import { guardedArtifact } from '../guarded.ts';
import { error, type Rule } from '../rule.ts';
import { inflateOverInput } from './inflate-over-input.ts';

export const guardStart = {
  id: 'guard-start',
  condition:
    'A gzip-compressed sketch is staged below the lowest staging address in its metadata, which is safe on every core. A device with the guard rejects it (ERROR 12, rejection 9), even if its own core could inflate it there.',
  severity: 'error',
  cores: 'device with the guard',
  evidence: ['Updater_Signing.h of ota-hooks: check', 'ESP8266HTTPUpdateServer-impl.h: the web updater stages low'],
  check(context) {
    const { image, artifact, device, errors } = context;
    const { metadata } = guardedArtifact(context) ?? {};
    if (device === undefined || metadata === undefined || image.kind !== 'sketch') return undefined;
    if (artifact.encoding !== 'gzip' || errors.includes(inflateOverInput.id)) return undefined;
    const { lowestStart } = metadata;
    const stagingFromTop = sketchStaging(device, 'espota', artifact.sizeBytes);
    for (const transport of possibleTransports(device)) {
      const staging = sketchStaging(device, transport, artifact.sizeBytes);
      if (staging === undefined || staging >= lowestStart) continue;
      return error(
        `over ${transport}, the compressed image would be staged at ${staging}, but the guard of the device accepts ${lowestStart} or higher: it would reject the update with ERROR 12`,
        sendForm('raw'),
        ...(stagingFromTop !== undefined && stagingFromTop >= lowestStart ? [useTransport('espota', 'http')] : []),
        { action: 'build', mostBytes: staging },
      );
    }
    return undefined;
  },
} as const satisfies Rule;

import { sectorBytes } from '../../device-model/flash.ts';
import { possibleTransports } from '../device.ts';
import { useTransport } from '../fixes.ts';
import { error, type Rule, warning } from '../rule.ts';

export const webNoData = {
  id: 'web-no-data',
  condition:
    'An update of at most one sector for the web updater: at the end, all data is still in the buffer, and the Updater reports that it received no data.',
  severity: 'error or warning',
  cores: 'device on 3.0.0 or later',
  evidence: ['esp8266/Arduino#7729', 'Updater.cpp end', 'ESP8266HTTPUpdateServer-impl.h UPLOAD_FILE_END'],
  check({ artifact, device }) {
    if (device === undefined || artifact.sizeBytes > sectorBytes || device.capabilities?.refusesEmpty === false)
      return undefined;
    if (!possibleTransports(device).includes('web')) return undefined;
    const message = `the update has ${artifact.sizeBytes} bytes, and the web updater rejects updates of up to ${sectorBytes} bytes with ERROR 13 (no data)`;
    const fix = useTransport('espota', 'http');
    const isCertain = device.facts.transport === 'web' && device.capabilities !== undefined;
    return isCertain ? error(message, fix) : warning(message, fix);
  },
} as const satisfies Rule;

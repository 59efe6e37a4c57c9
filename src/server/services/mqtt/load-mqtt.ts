import type * as Mqtt from 'mqtt';
import { OtaError } from '../../../errors/ota-error.ts';

/**
 * Loads the optional mqtt package.
 *
 * @throws OtaError MQTT_MISSING if the package is not installed
 */
export async function loadMqtt(
  load: () => Promise<{ readonly default: typeof Mqtt.default }> = () => import('mqtt'),
): Promise<typeof Mqtt.default> {
  try {
    return (await load()).default;
  } catch (cause) {
    throw new OtaError('MQTT_MISSING', {}, cause);
  }
}

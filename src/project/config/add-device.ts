import type { DeviceConfig } from '../../core/model/inventory-schema.ts';
import { memberInsertion } from './json-member.ts';

/**
 * Adds a device to the text of a configuration. All other text is kept, including indentation and line endings.
 *
 * @param text text of a JSON configuration; YAML is not supported, because its comments would be lost
 * @returns undefined if the text or its `devices` value is not a JSON object
 */
export function withDevice(text: string, name: string, device: DeviceConfig): string | undefined {
  const [mark = ''] = /^\uFEFF/.exec(text) ?? [];
  const json = text.slice(mark.length);
  const first = memberInsertion(json, [], 'devices', { [name]: device });
  if (first === undefined) return undefined;
  const hasDevices = 'devices' in JSON.parse(json);
  const insertion = hasDevices ? memberInsertion(json, ['devices'], name, device) : first;
  if (insertion === undefined) return undefined;
  return mark + json.slice(0, insertion.at) + insertion.text + json.slice(insertion.at);
}

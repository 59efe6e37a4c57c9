import { entry, type PathAndReason, type PathField } from './entry.ts';
import { explainReason } from './system-reasons.ts';

export const deliveryEntries = {
  INVENTORY_EMPTY: entry(
    2,
    () => 'No device selected: the configuration contains no devices',
    '--all and --group select devices from the configuration, never devices that were only discovered on the network.',
    () => 'Run `ota-hooks discover --add NAME`, or add "devices" to ota.config.json.',
  ),
  GROUP_EMPTY: entry<{ group: string; groups: readonly string[] }>(
    2,
    ({ group, groups }) =>
      `No device selected: no device is in group ${group}${groups.length === 0 ? ', and no groups are configured' : ` (groups: ${groups.join(', ')})`}`,
    'Device groups are defined in the configuration.',
    ({ groups }) =>
      groups.length === 0
        ? 'Add "group" to devices in ota.config.json, or use --all or --host.'
        : 'Pass one of these groups, or add "group" to devices in ota.config.json.',
  ),
  UPDATE_PATH_INVALID: entry<PathField>(
    2,
    ({ path }) => `${JSON.stringify(path)} is not a valid web updater path: it must begin with / and contain no spaces`,
    'The path is part of the HTTP request to ESP8266HTTPUpdateServer.',
    () => 'Set "path" in ota.config.json to the path that the sketch uses, such as /update.',
  ),
  SIGNED_FILE_STALE: entry<PathAndReason & { image: string }>(
    2,
    ({ path, reason }) => `${path} was not sent: ${reason}`,
    'A signed file from an earlier build contains old firmware, so `espota` sends a signed file only if it matches the image.',
    ({ path, image }) => `Sign the image with \`ota-hooks pack ${image}\`, or delete ${path}.`,
  ),
  DISCOVERY_UNAVAILABLE: entry<{ reason: string; hint: string }>(
    1,
    ({ reason }) => `Cannot listen for devices (mDNS, UDP port 5353): ${explainReason(reason)}`,
    'Devices announce themselves over mDNS. Without mDNS, ota-hooks can reach devices only by address.',
    ({ hint }) => hint,
  ),
  UPLOAD_LISTEN_FAILED: entry<{ address: string; reason: string }>(
    2,
    ({ address, reason }) => `Cannot listen for the device on ${address}: ${explainReason(reason)}`,
    'With espota, the device opens a TCP connection to this machine.',
    () => 'Pass an address of this machine with --host-ip and a free port with --host-port, or omit both options.',
  ),
};

/** Facts that a device sends as request headers. */
export interface DeviceWords {
  readonly mac: string;
  readonly sketchMd5: string;
  readonly sketchSizeBytes: number;
  readonly version: string;
}

/** `_FS_start` of the layout with a 2 MB filesystem on a 4 MB chip. */
const fsStart = 0x200000;

/** Request headers as in `ESP8266HTTPUpdate::handleUpdate`. */
export function deviceHeaders({ mac, sketchMd5, sketchSizeBytes, version }: DeviceWords): Record<string, string> {
  return {
    'User-Agent': 'ESP8266-http-Update',
    'x-ESP8266-Chip-ID': String(Number.parseInt(mac.replaceAll(':', '').slice(6), 16)),
    'x-ESP8266-STA-MAC': mac,
    'x-ESP8266-AP-MAC': mac.replace(/^../, '1A'),
    'x-ESP8266-free-space': String(fsStart - 4096 * Math.ceil(sketchSizeBytes / 4096)),
    'x-ESP8266-sketch-size': String(sketchSizeBytes),
    'x-ESP8266-sketch-md5': sketchMd5,
    'x-ESP8266-chip-size': '4194304',
    'x-ESP8266-sdk-version': '2.2.2-dev(38a443e)',
    'x-ESP8266-mode': 'sketch',
    'x-ESP8266-version': version,
  };
}

/** MAC of the n-th device. */
export function macOf(index: number): string {
  const digits = index.toString(16).toUpperCase().padStart(6, '0');
  return `18:FE:34:${digits.replace(/..(?!$)/g, '$&:')}`;
}

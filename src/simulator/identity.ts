/** What tells one device from another. */
export interface Identity {
  /** Of the station interface: `5C:CF:7F:…`. */
  readonly mac: string;
  readonly apMac: string;
  /** `ESP.getChipId()`: the last three bytes of the MAC. */
  readonly chipId: number;
  readonly hostname: string;
}

/** One of the prefixes that Espressif has; the next bytes are the caller's. */
const prefix = [0x5c, 0xcf, 0x7f];

/** The n-th device of a process, or the one with this MAC. */
export function identityOf(wanted: { readonly mac?: string | undefined; readonly number: number }): Identity {
  const chipId = wanted.mac === undefined ? (0x510000 + wanted.number) & 0xffffff : chipIdOf(wanted.mac);
  const mac = wanted.mac?.toUpperCase() ?? macOf([...prefix, chipId >> 16, (chipId >> 8) & 0xff, chipId & 0xff]);
  const [first = 0, ...rest] = mac.split(':').map((part) => Number.parseInt(part, 16));
  return {
    mac,
    // The access point's address is the station's, marked as locally administered.
    apMac: macOf([first | 2, ...rest]),
    chipId,
    hostname: `esp8266-${chipId.toString(16).padStart(6, '0')}`,
  };
}

function chipIdOf(mac: string): number {
  return Number.parseInt(mac.replaceAll(':', '').slice(-6), 16);
}

function macOf(bytes: readonly number[]): string {
  return bytes.map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join(':');
}

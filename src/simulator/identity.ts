/** Addresses and names that identify a device on the network. */
export interface Identity {
  /** MAC address of the station interface, such as `5C:CF:7F:…`. */
  readonly mac: string;
  /** MAC address of the access point interface. */
  readonly apMac: string;
  /** Chip ID (`ESP.getChipId()`): the last three bytes of the MAC. */
  readonly chipId: number;
  readonly hostname: string;
}

/** MAC prefix of Espressif. The remaining three bytes of the MAC are the chip ID. */
const prefix = [0x5c, 0xcf, 0x7f];

/** Returns the identity of a device with this MAC. Without a MAC, returns the identity of the n-th device in the process. */
export function virtualIdentity(options: { readonly mac?: string | undefined; readonly number: number }): Identity {
  const chipId = options.mac === undefined ? (0x510000 + options.number) & 0xffffff : chipIdOf(options.mac);
  const mac = options.mac?.toUpperCase() ?? macOf([...prefix, chipId >> 16, (chipId >> 8) & 0xff, chipId & 0xff]);
  const [first = 0, ...rest] = mac.split(':').map((part) => Number.parseInt(part, 16));
  return {
    mac,
    // The access point MAC is the station MAC with the "locally administered" bit set.
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

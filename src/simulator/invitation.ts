/** Invitation, the first datagram from a host: `<command> <host's TCP port> <size> <md5>`. */
export interface ReceivedInvitation {
  readonly kind: 'sketch' | 'filesystem';
  readonly hostPort: number;
  readonly sizeBytes: number;
  readonly md5: string;
}

/** Host's response to `AUTH`: `200 <cnonce> <response>`. */
export interface AuthResponse {
  readonly cnonce: string;
  readonly response: string;
}

const sketchCommand = 0;
const filesystemCommand = 100;
const authCommand = 200;
const md5Digits = 32;

/**
 * Parses an invitation like `ArduinoOTAClass::_onRx` (ArduinoOTA.cpp). An invalid number counts as 0. The MD5 ends at a line feed, a zero
 * byte or the end of the datagram.
 *
 * @returns undefined if the device would not respond
 */
export function readInvitation(datagram: Uint8Array): ReceivedInvitation | undefined {
  const reader = new DatagramReader(datagram);
  const command = reader.integer();
  if (command !== sketchCommand && command !== filesystemCommand) return undefined;
  const hostPort = reader.integer();
  const sizeBytes = reader.integer();
  reader.skipByte();
  const md5 = reader.textUntil('\n').trim();
  if (md5.length !== md5Digits) return undefined;
  // On the device, ports are 16-bit numbers.
  return { kind: command === sketchCommand ? 'sketch' : 'filesystem', hostPort: hostPort & 0xffff, sizeBytes, md5 };
}

/**
 * Parses the response to `AUTH`.
 *
 * @returns undefined if the device would ignore the datagram and wait for a new invitation
 */
export function readAuthResponse(datagram: Uint8Array): AuthResponse | undefined {
  const reader = new DatagramReader(datagram);
  if (reader.integer() !== authCommand) return undefined;
  reader.skipByte();
  const cnonce = reader.textUntil(' ');
  const response = reader.textUntil('\n');
  return cnonce.length === md5Digits && response.length === md5Digits ? { cnonce, response } : undefined;
}

/** Reads a datagram like `parseInt` and `readStringUntil` in ArduinoOTA.cpp. */
class DatagramReader {
  readonly #text: string;
  #at = 0;

  constructor(datagram: Uint8Array) {
    this.#text = Buffer.from(datagram).toString('latin1');
  }

  /** Reads a number of up to 15 digits. Longer numbers count as 0. */
  integer(): number {
    const match = /^ *(\d{0,16})/.exec(this.#text.slice(this.#at));
    const digits = match?.[1] ?? '';
    this.#at += match?.[0].length ?? 0;
    return digits.length > 15 ? 0 : Number(digits);
  }

  skipByte(): void {
    this.#at++;
  }

  textUntil(end: string): string {
    const rest = this.#text.slice(this.#at);
    const found = [...rest].findIndex((character) => character === end || character === '\0');
    const text = found === -1 ? rest : rest.slice(0, found);
    this.#at += text.length + 1;
    return text;
  }
}

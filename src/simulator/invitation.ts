/** What a host asks of a device in its first datagram: `<command> <host's TCP port> <size> <md5>`. */
export interface Invitation {
  readonly kind: 'sketch' | 'filesystem';
  readonly hostPort: number;
  readonly sizeBytes: number;
  readonly md5: string;
}

/** What comes back for `AUTH`: `200 <cnonce> <response>`. */
export interface AuthAnswer {
  readonly cnonce: string;
  readonly response: string;
}

const sketchCommand = 0;
const filesystemCommand = 100;
const authCommand = 200;
const md5Digits = 32;

/**
 * Reads an invitation as `ArduinoOTAClass::_onRx` (ArduinoOTA.cpp) does: a number that is none counts as 0, and the MD5 goes up to the
 * end of the line, of the datagram, or to a zero byte.
 *
 * @returns undefined where the device stays silent
 */
export function readInvitation(datagram: Uint8Array): Invitation | undefined {
  const reader = new DatagramReader(datagram);
  const command = reader.integer();
  if (command !== sketchCommand && command !== filesystemCommand) return undefined;
  const hostPort = reader.integer();
  const sizeBytes = reader.integer();
  reader.skipByte();
  const md5 = reader.textUntil('\n').trim();
  if (md5.length !== md5Digits) return undefined;
  // Ports are 16 bits wide on the device.
  return { kind: command === sketchCommand ? 'sketch' : 'filesystem', hostPort: hostPort & 0xffff, sizeBytes, md5 };
}

/** @returns undefined where the device goes back to waiting for an invitation without a word */
export function readAuthAnswer(datagram: Uint8Array): AuthAnswer | undefined {
  const reader = new DatagramReader(datagram);
  if (reader.integer() !== authCommand) return undefined;
  reader.skipByte();
  const cnonce = reader.textUntil(' ');
  const response = reader.textUntil('\n');
  return cnonce.length === md5Digits && response.length === md5Digits ? { cnonce, response } : undefined;
}

/** Reads as `parseInt` and `readStringUntil` of ArduinoOTA.cpp do. */
class DatagramReader {
  readonly #text: string;
  #at = 0;

  constructor(datagram: Uint8Array) {
    this.#text = Buffer.from(datagram).toString('latin1');
  }

  /** At most 15 digits; 16 and more count as 0. */
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

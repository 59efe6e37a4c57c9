import { createHash, randomBytes } from 'node:crypto';

/** Response to one challenge. The password itself is never sent. */
export interface ChallengeResponse {
  /** Random client nonce of 32 hex digits, the length that `_onRx` requires. */
  readonly cnonce: string;
  readonly response: string;
}

/**
 * Computes the response to a challenge of `ArduinoOTAClass::_onRx`. The response is the MD5 of three values joined by colons: the
 * password's MD5, the device's nonce and the client nonce.
 */
export function authenticate(
  nonce: string,
  password: string,
  cnonce: string = randomBytes(16).toString('hex'),
): ChallengeResponse {
  return { cnonce, response: md5Hex(`${md5Hex(password)}:${nonce}:${cnonce}`) };
}

function md5Hex(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

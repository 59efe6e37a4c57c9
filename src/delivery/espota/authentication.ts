import { createHash, randomBytes } from 'node:crypto';

/** Response to one challenge; the password itself never leaves this machine. */
export interface ChallengeResponse {
  /** Random client nonce: 32 hex digits, which is the length that `_onRx` requires. */
  readonly cnonce: string;
  readonly response: string;
}

/**
 * Computes the response to a challenge from `ArduinoOTAClass::_onRx`: the MD5 of the password's MD5, the device's nonce and the client
 * nonce, joined with colons.
 */
export function answerChallenge(
  nonce: string,
  password: string,
  cnonce: string = randomBytes(16).toString('hex'),
): ChallengeResponse {
  return { cnonce, response: md5Hex(`${md5Hex(password)}:${nonce}:${cnonce}`) };
}

function md5Hex(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

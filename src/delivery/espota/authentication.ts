import { createHash, randomBytes } from 'node:crypto';

/** The answer to one challenge; the password itself never leaves this machine. */
export interface ChallengeAnswer {
  /** This side's own random part: 32 hex digits, since `_onRx` wants exactly as many. */
  readonly cnonce: string;
  readonly response: string;
}

/** Answers the challenge of `ArduinoOTAClass::_onRx`: MD5 over the password's MD5, the device's nonce and ours, joined by colons. */
export function answerChallenge(
  nonce: string,
  password: string,
  cnonce: string = randomBytes(16).toString('hex'),
): ChallengeAnswer {
  return { cnonce, response: md5Hex(`${md5Hex(password)}:${nonce}:${cnonce}`) };
}

function md5Hex(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

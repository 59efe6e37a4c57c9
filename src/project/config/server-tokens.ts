import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { OtaError } from '../../errors/ota-error.ts';
import { readFailure, readRegularSync } from '../../files/bounded-read.ts';
import { writeAtomically } from '../../files/write.ts';
import { requireUsersOwn } from './user-config.ts';
import { type UserWords, userConfigPath } from './user-words.ts';

/**
 * Tokens of `ota-hooks login`, by origin of the server. A name from a source tree never selects a token, because a source tree may be
 * untrusted.
 */
const tokensSchema = v.strictObject({ servers: v.record(v.string(), v.strictObject({ token: v.string() })) });
type Tokens = v.InferOutput<typeof tokensSchema>;

const mostBytes = 1024 * 1024;

/** Returns the path of the file with the tokens, beside the user configuration. */
function serverTokensPath(words: UserWords): string {
  return join(dirname(userConfigPath(words)), 'tokens.json');
}

/**
 * Returns the stored token for a server.
 *
 * @param origin scheme, host and port of the server
 * @throws OtaError USER_CONFIG_INVALID, USER_CONFIG_UNSAFE if other users could read or write the file
 */
export function readServerToken(words: UserWords, origin: string): string | undefined {
  const { servers } = readTokens(words);
  return Object.hasOwn(servers, origin) ? servers[origin]?.token : undefined;
}

/**
 * Stores the token for a server in a file that only the user can read, in place of an earlier one.
 *
 * @throws OtaError USER_CONFIG_INVALID, USER_CONFIG_UNSAFE, FILE_UNWRITABLE
 */
export async function saveServerToken(words: UserWords, origin: string, token: string): Promise<void> {
  const { servers } = readTokens(words);
  await writeTokens(words, { servers: { ...servers, [origin]: { token } } });
}

/**
 * Removes the token for a server.
 *
 * @returns false if there was none
 * @throws OtaError USER_CONFIG_INVALID, USER_CONFIG_UNSAFE, FILE_UNWRITABLE
 */
export async function removeServerToken(words: UserWords, origin: string): Promise<boolean> {
  const { servers } = readTokens(words);
  const { [origin]: removed, ...others } = servers;
  if (removed === undefined) return false;
  await writeTokens(words, { servers: others });
  return true;
}

function readTokens(words: UserWords): Tokens {
  const path = serverTokensPath(words);
  let text: string;
  try {
    text = readRegularSync(path, mostBytes).toString('utf8');
  } catch (cause) {
    const reason = readFailure(cause);
    if (reason === 'ENOENT' || reason === 'ENOTDIR') return { servers: {} };
    throw new OtaError('USER_CONFIG_INVALID', { path, reason }, cause);
  }
  requireUsersOwn(path, words, 'secret');
  const parsed = v.safeParse(tokensSchema, parsedJson(text));
  if (parsed.success) return parsed.output;
  throw new OtaError('USER_CONFIG_INVALID', { path, reason: 'it does not contain the tokens of `ota-hooks login`' });
}

/** Returns undefined for text that is not JSON. The error of the parser would contain a part of the text. */
function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function writeTokens(words: UserWords, tokens: Tokens): Promise<void> {
  const path = serverTokensPath(words);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeAtomically(path, `${JSON.stringify(tokens, null, 2)}\n`, 0o600);
}

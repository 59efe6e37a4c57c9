import { realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute } from 'node:path';
import * as v from 'valibot';
import type { NamedSource, SecretUse } from '../../core/model/secret-policy.ts';
import { fromEnvironment, secretSource, text } from '../../core/model/secret-source.ts';
import { signerInputs } from '../../core/signing/signer-input.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { readFailure, readRegularSync } from '../../files/bounded-read.ts';
import { isUsersOwn } from './owner.ts';
import { type UserWords, userConfigPath } from './user-words.ts';

const absolutePath = v.pipe(text, v.check(isAbsolute, 'must be an absolute path'));

/** Sources and destinations that the user allows one project to use, in addition to those that every project configuration may name. */
const projectSchema = v.strictObject({
  devicePasswords: v.optional(v.array(secretSource)),
  passphrases: v.optional(v.array(secretSource)),
  privateKeys: v.optional(v.array(secretSource)),
  publishTo: v.optional(v.array(v.union([text, fromEnvironment], 'must be a URL, a folder or {"env": "NAME"}'))),
  versions: v.optional(v.array(fromEnvironment)),
});

/** Program that signs. The project configuration cannot contain one, because it may be untrusted. */
const signerSchema = v.strictObject({
  command: v.pipe(v.array(v.string()), v.minLength(1, 'must contain a program')),
  input: v.optional(v.picklist(signerInputs, `must be one of ${signerInputs.join(', ')}`)),
  publicKey: v.optional(absolutePath),
  timeoutSeconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1, 'must be at least 1'))),
});

const userConfigSchema = v.strictObject({
  safeDirectories: v.optional(v.array(absolutePath)),
  signers: v.optional(v.record(text, signerSchema)),
  projects: v.optional(v.record(absolutePath, projectSchema)),
});

/** Configuration of a user, outside every source tree. All paths in it are absolute. */
export type UserConfig = v.InferOutput<typeof userConfigSchema>;

/** Key within a project's entry in the user configuration. Its value lists the sources for one use. */
export const userConfigKeys = {
  'device-password': 'devicePasswords',
  passphrase: 'passphrases',
  'private-key': 'privateKeys',
  destination: 'publishTo',
  version: 'versions',
} as const satisfies Record<SecretUse, keyof v.InferOutput<typeof projectSchema>>;

/**
 * Reads the user configuration; empty if there is none.
 *
 * @throws OtaError USER_CONFIG_INVALID, USER_CONFIG_UNSAFE if other users could have written it
 */
export function readUserConfig(words: UserWords): UserConfig {
  const path = userConfigPath(words);
  const content = read(path);
  if (content === undefined) return {};
  requireUsersOwn(path, words, 'settings');
  let json: unknown;
  try {
    json = JSON.parse(content.replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw new OtaError('USER_CONFIG_INVALID', { path, reason: 'it is not valid JSON' }, cause);
  }
  const parsed = v.safeParse(userConfigSchema, json);
  if (parsed.success) return parsed.output;
  const reason = parsed.issues.map((issue) => `${v.getDotPath(issue) ?? 'the document'} ${issue.message}`).join('; ');
  throw new OtaError('USER_CONFIG_INVALID', { path, reason });
}

/** Maximum size of the user configuration, enough for thousands of projects. */
const mostUserConfigBytes = 4 * 1024 * 1024;

function read(path: string): string | undefined {
  try {
    return readRegularSync(path, mostUserConfigBytes).toString('utf8');
  } catch (cause) {
    const reason = readFailure(cause);
    if (reason === 'ENOENT' || reason === 'ENOTDIR') return undefined;
    throw new OtaError('USER_CONFIG_INVALID', { path, reason }, cause);
  }
}

/**
 * Checks that no other user can write the file or its folder, because write access to either is enough to extend the permissions of a
 * project. No other user may read a file with secrets.
 *
 * @throws OtaError USER_CONFIG_UNSAFE
 */
export function requireUsersOwn(path: string, words: UserWords, content: 'settings' | 'secret'): void {
  const real = realpathSync(path);
  // Windows does not have mode bits.
  const isReadable = words.platform !== 'win32' && (statSync(real).mode & 0o077) !== 0;
  if (content === 'secret' && isReadable) throw new OtaError('USER_CONFIG_UNSAFE', { path: real, problem: 'readable' });
  for (const each of [real, dirname(real)]) {
    const { uid, mode } = statSync(each);
    if (!isUsersOwn(uid, words)) throw new OtaError('USER_CONFIG_UNSAFE', { path: each, problem: 'owner' });
    // Windows does not have these mode bits.
    if (words.platform !== 'win32' && (mode & 0o022) !== 0) {
      throw new OtaError('USER_CONFIG_UNSAFE', { path: each, problem: 'mode' });
    }
  }
}

/** Returns a source in the form in which the user configuration lists it for this use. */
export function asListed(use: SecretUse, source: NamedSource): string | object {
  if ('server' in source) return source.server;
  return use === 'destination' && 'file' in source ? source.file : source;
}

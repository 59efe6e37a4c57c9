import { OtaError } from '../../errors/ota-error.ts';
import { containsCredential } from './credential-text.ts';

/** Use of a secret or a destination. */
export type SecretUse = 'device-password' | 'passphrase' | 'private-key' | 'destination' | 'version';

/** Place where the source is named. All places except the project configuration are under the user's control. */
export type SecretSpeaker = 'command-line' | 'environment' | 'user-configuration' | 'project';

/** `project`: the project configuration may name the source. `user`: only the user may name it. `never`: the source is always rejected. */
type SecretPermission = 'project' | 'user' | 'never';

/** Source of a secret or a destination: an environment variable, an absolute path, or the origin of a server. */
export type NamedSource = { readonly env: string } | { readonly file: string } | { readonly server: string };

/** Kinds of environment variables, distinguished by name. The first matching pattern determines the kind. */
const variableKinds = {
  'tool-credential':
    /^(?:OTA_TOKEN(?:_\w+)?|\w+_OTA_TOKEN|OTA_(?:DATABASE|MQTT|S3)\w*|DATABASE_URL|AWS_\w+|PG(?:PASSWORD|PASSFILE))$/,
  'tool-passphrase': /^OTA_PASSPHRASE(?:_\w+)?$/,
  'tool-private-key': /^OTA_PRIVATE_KEY(?:_\w+)?$/,
  // The PlatformIO hook passes a password from upload_flags in the variable OTA_UPLOAD_PASSWORD.
  'device-variable': /^OTA_(?:DEVICE_\w+|UPLOAD_PASSWORD)$/,
  'server-variable': /^OTA_SERVER(?:_\w+)?$/,
  'passphrase-variable': /^\w+_PASSPHRASE$/,
  // A variable of a build server, such as GITHUB_REF_NAME.
  'version-variable':
    /^(?:\w+_)?(?:BRANCH|BUILD|COMMIT|DESCRIBE|IID|NUMBER|REF|RELEASE|REV|REVISION|RUN|SEMVER|SHA|TAG|VER|VERSION)(?:_\w+)?$/,
} as const;

/** Words in the names of secrets. Words in the second list are also recognized at the end of a longer word, such as `APIKEY`. */
const secretWords =
  /(?:^|_)(?:AUTH|CREDS?|DSN|HMAC|JWT|OTP|PASS|PAT|PIN|PRIVATE|PSK|PW|SALT|SAS|SEED|SESSION)S?\d*(?:_|$)|(?:BEARER|COOKIE|CREDENTIAL|KEY|PASSPHRASE|PASSWD|PASSWORD|PWD|SECRET|TOKEN)S?\d*(?:_|$)/;

/**
 * Kinds of sources. `version-file`: a file in the project whose name shows that it contains a version. `credential-file`: a file in the
 * project in which other tools store credentials, such as `.git/config`.
 */
export type SourceKind =
  | keyof typeof variableKinds
  | 'other-variable'
  | 'project-file'
  | 'version-file'
  | 'credential-file'
  | 'outside-file'
  | 'server';

type Row = Readonly<Record<SecretUse, SecretPermission>>;

/** Permissions in the order of the columns in docs/security.md. */
function row(
  password: SecretPermission,
  passphrase: SecretPermission,
  privateKey: SecretPermission,
  destination: SecretPermission,
  version: SecretPermission,
): Row {
  return { 'device-password': password, passphrase, 'private-key': privateKey, destination, version };
}

/**
 * Permitted uses of each kind of source. A source tree may be untrusted, and it also determines the address to which a secret is sent, or
 * the firmware that is signed. The configuration in a source tree may therefore name only sources that are clearly meant for that use.
 */
export const secretPolicy: Readonly<Record<SourceKind, Row>> = {
  'device-variable': row('project', 'user', 'user', 'user', 'never'),
  'tool-passphrase': row('never', 'project', 'user', 'never', 'never'),
  'passphrase-variable': row('user', 'project', 'user', 'user', 'never'),
  'tool-private-key': row('never', 'user', 'project', 'never', 'never'),
  'server-variable': row('user', 'user', 'user', 'project', 'user'),
  'version-variable': row('user', 'user', 'user', 'user', 'project'),
  'tool-credential': row('never', 'never', 'never', 'never', 'never'),
  'other-variable': row('user', 'user', 'user', 'user', 'user'),
  'project-file': row('project', 'project', 'project', 'project', 'never'),
  'version-file': row('project', 'project', 'project', 'project', 'project'),
  'credential-file': row('user', 'user', 'user', 'user', 'never'),
  'outside-file': row('user', 'user', 'user', 'user', 'never'),
  server: row('never', 'never', 'never', 'user', 'never'),
};

/** Returns the kind of an environment variable. Windows ignores the case of names, so the kind does not depend on it. */
export function kindOfVariable(name: string): SourceKind {
  const kinds = Object.entries(variableKinds) as [keyof typeof variableKinds, RegExp][];
  const kind = kinds.find(([, pattern]) => pattern.test(name.toUpperCase()))?.[0] ?? 'other-variable';
  return kind === 'version-variable' && secretWords.test(name.toUpperCase()) ? 'other-variable' : kind;
}

/** Project whose configuration names sources, and the sources that the user has allowed it to use. */
export interface ProjectTrust {
  /** Configuration file or source folder, for messages. */
  readonly name: string;
  /** Kind of an absolute path. Symbolic links count as the files that they point to. */
  kindOfFile(path: string): SourceKind;
  /** Returns whether an absolute path is outside the project. Symbolic links count as the files that they point to. */
  isOutside(path: string): boolean;
  /** True if the user configuration allows the project to use the source in this way. */
  isAllowed(use: SecretUse, source: NamedSource): boolean;
  /** Instruction to add the source to the user configuration, with the text to add. */
  howToAllow(use: SecretUse, source: NamedSource): string;
}

/** Use of a source, and the name of the secret in messages, such as "the password of kitchen". */
export interface SecretClaim {
  readonly use: SecretUse;
  readonly source: NamedSource;
  readonly purpose: string;
}

/**
 * Checks that a source may be used. Every use of a secret or a destination passes this check.
 *
 * @throws OtaError SECRET_RESERVED, SECRET_UNTRUSTED
 */
export function requirePermission(claim: SecretClaim, speaker: SecretSpeaker, trust: ProjectTrust): void {
  const { use, source, purpose } = claim;
  if (permissionOf(claim, trust) === 'never') throw reservedSecret(claim);
  if (hasPermission(claim, speaker, trust)) return;
  throw new OtaError('SECRET_UNTRUSTED', {
    purpose,
    source: describeSource(source),
    config: trust.name,
    alternative: alternatives[use](source),
    howToAllow: trust.howToAllow(use, source),
  });
}

/** Returns whether a source may be used. */
export function hasPermission(claim: SecretClaim, speaker: SecretSpeaker, trust: ProjectTrust): boolean {
  const permission = permissionOf(claim, trust);
  if (permission === 'never') return false;
  return permission === 'project' || speaker !== 'project' || trust.isAllowed(claim.use, claim.source);
}

function permissionOf({ use, source }: SecretClaim, trust: ProjectTrust): SecretPermission {
  return secretPolicy[kindOf(source, trust)][use];
}

/**
 * Checks a variable that the user named on the command line.
 *
 * @throws OtaError SECRET_RESERVED
 */
export function requireNotReserved(claim: SecretClaim & { readonly source: { readonly env: string } }): void {
  if (secretPolicy[kindOfVariable(claim.source.env)][claim.use] === 'never') throw reservedSecret(claim);
}

function kindOf(source: NamedSource, trust: ProjectTrust): SourceKind {
  if ('env' in source) return kindOfVariable(source.env);
  return 'file' in source ? trust.kindOfFile(source.file) : 'server';
}

function describeSource(source: NamedSource): string {
  if ('env' in source) return `the environment variable ${source.env}`;
  return 'file' in source ? source.file : source.server;
}

/** Instructions for allowing a source for a single run. */
const alternatives: Readonly<Record<SecretUse, (source: NamedSource) => string>> = {
  'device-password': (source) => ('env' in source ? `pass --password-env ${source.env}` : 'pass --password-env NAME'),
  passphrase: (source) => ('env' in source ? `pass --passphrase-env ${source.env}` : 'pass --passphrase-env NAME'),
  'private-key': (source) =>
    'file' in source ? `pass --private-key ${source.file}` : 'rename the variable to OTA_PRIVATE_KEY',
  destination: (source) =>
    'env' in source ? 'rename the variable to OTA_SERVER' : `pass --to ${describeSource(source)}`,
  version: () => 'pass --firmware-version',
};

/** Minimum length of a secret to search for. A shorter secret can occur in other text by chance. */
const shortestContainedSecret = 8;
const ownSecretKinds: readonly SourceKind[] = ['tool-credential', 'tool-passphrase', 'tool-private-key'];

/**
 * Checks that a value that will leave this machine does not contain a secret that ota-hooks uses: a private key, a server token, or the
 * value of one of its variables.
 *
 * @throws OtaError SECRET_RESERVED
 */
export function requireNoOwnSecret(
  value: string,
  claim: SecretClaim,
  env: Readonly<Record<string, string | undefined>>,
): void {
  const isOwn = Object.entries(env)
    .filter(([name]) => ownSecretKinds.includes(kindOfVariable(name)))
    .flatMap(([, other]) => secretsIn(other?.trim() ?? ''))
    .some((secret) => value.trim() === secret || (secret.length >= shortestContainedSecret && value.includes(secret)));
  if (isOwn || containsCredential(value)) throw reservedSecret(claim);
}

/** Returns a secret and, if the secret is a database URL, the password in the URL. */
function secretsIn(text: string): readonly string[] {
  const password = URL.canParse(text) ? new URL(text).password : '';
  return [text, password, safeDecode(password)].filter((secret) => secret !== '');
}

/** Decodes percent-encoded text. Returns other text unchanged. */
function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Returns the error for a source that contains a secret of a different kind. */
export function reservedSecret({ use, source, purpose }: SecretClaim): OtaError {
  return new OtaError('SECRET_RESERVED', { source: describeSource(source), purpose, hint: reservedHints[use] });
}

const reservedHints: Readonly<Record<SecretUse, string>> = {
  'device-password': "Use a variable such as OTA_DEVICE_KITCHEN, or a file, that contains only the device's password.",
  passphrase: 'Use a variable such as OTA_PASSPHRASE that contains only the passphrase.',
  'private-key': 'Use a variable such as OTA_PRIVATE_KEY that contains only the key.',
  destination: 'Use a variable such as OTA_SERVER that contains only the URL.',
  version: 'Use a variable such as FIRMWARE_VERSION that contains only the version.',
};

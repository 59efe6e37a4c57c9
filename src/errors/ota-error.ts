/**
 * Catalog of all failures that users can cause or encounter, each with a message, a reason, a hint and an exit code.
 * Any other thrown error than an {@link OtaError} is a bug in ota-hooks: exit code 70, with its stack.
 */

/** Exit code. 1: the operation failed; 2: wrong usage or configuration; 3: blocked by preflight because the update is unsafe. */
export type ExitCode = 1 | 2 | 3;

interface Entry<Fields> {
  readonly exitCode: ExitCode;
  /** Line that describes the failure, with the facts of the case. */
  readonly message: (fields: Fields) => string;
  /** Explanation for the documentation, without facts of the case. */
  readonly why: string;
  /** Next step for the user. */
  readonly hint: (fields: Fields) => string;
}

function entry<Fields = Record<never, never>>(
  exitCode: ExitCode,
  message: Entry<Fields>['message'],
  why: string,
  hint: Entry<Fields>['hint'],
): Entry<Fields> {
  return { exitCode, message, why, hint };
}

interface Path {
  readonly path: string;
}
interface Reason extends Path {
  readonly reason: string;
}

/** Error codes of system calls in plain language. */
const systemReasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EISDIR: 'it is a folder',
  ERR_FS_EISDIR: 'it is a folder',
  ENOTDIR: 'part of the path is a file, not a folder',
  EEXIST: 'there is a file in the place of a folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EBUSY: 'it is in use by another program',
  ENAMETOOLONG: 'the name is too long',
  EMFILE: 'too many files are open',
};

/** Translates a reason to plain language and keeps the code, which users can search for. */
function inWords(reason: string): string {
  const words = systemReasons[reason];
  return words === undefined ? reason : `${words} (${reason})`;
}

/** Joins up to two fixes into a hint; for more it refers to `ota-hooks preflight`. */
function waysOut(all: readonly string[]): string {
  const ways = [...new Set(all)];
  return ways.length > 2
    ? 'What to do instead depends on the rule: ota-hooks preflight'
    : `Instead: ${ways.join('; or ')}`;
}

/** Quotes a value of the command line if it would not be recognized as one value. */
function asArgument(value: string): string {
  return /^[^\s"']+$/.test(value) ? value : JSON.stringify(value);
}

export const catalog = {
  USAGE: entry<{ message: string; hint?: string }>(
    2,
    ({ message }) => message,
    'The command line could not be understood.',
    ({ hint }) => hint ?? 'Run the command with --help to see its options.',
  ),
  OPTION_INVALID: entry<{ option: string; value: string; expected: string; hint?: string }>(
    2,
    ({ option, value, expected }) => `${option} ${asArgument(value)}: ${expected}`,
    'The values of options are checked before a command does anything.',
    ({ hint }) => hint ?? 'Run the command with --help to see what each option accepts.',
  ),

  CONFIG_NOT_FOUND: entry<Path>(
    2,
    ({ path }) => `The configuration ${path} was not found`,
    'A configuration that is named must exist; silently going on without it could build unsigned firmware.',
    () => 'Check the path given to --config.',
  ),
  CONFIG_UNREADABLE: entry<Reason>(
    2,
    ({ path, reason }) => `The configuration ${path} could not be read: ${inWords(reason)}`,
    'The file is not valid JSON or YAML, or cannot be opened.',
    () => 'Mend the syntax at the place named; ota.config.example.json shows a whole configuration.',
  ),
  CONFIG_INVALID: entry<{ path: string; problems: readonly string[] }>(
    2,
    ({ path, problems }) =>
      `The configuration ${path} has ${problems.length === 1 ? 'a mistake' : `${problems.length} mistakes`}: ${problems.join('; ')}`,
    'Unknown keys and wrong values are refused: a typo in a security setting must not pass as silence.',
    () => 'Each mistake is named with its place; ota.config.example.json shows every key.',
  ),
  SECRET_MISSING: entry<{ variable: string; purpose: string }>(
    2,
    ({ variable, purpose }) => `The environment variable ${variable} is not set, but ${purpose} is to be read from it`,
    'Secrets come from the environment, a file or a prompt, never from the command line or the text of the configuration.',
    ({ variable }) => `Set ${variable} in the environment of the build.`,
  ),

  FILE_NOT_FOUND: entry<Path & { what: string }>(
    2,
    ({ path, what }) => `No ${what} at ${path}`,
    'A file that was named does not exist.',
    () => 'Check the path.',
  ),
  FILE_UNREADABLE: entry<Reason>(
    1,
    ({ path, reason }) => `${path} could not be read: ${inWords(reason)}`,
    'The operating system refused to read the file.',
    () => 'Check the permissions of the file and of its folder.',
  ),
  FILE_UNWRITABLE: entry<Reason>(
    1,
    ({ path, reason }) => `${path} could not be written: ${inWords(reason)}`,
    'The operating system refused to write the file; whatever stood there before was not left half-written.',
    ({ reason }) => {
      if (reason === 'ENOSPC' || reason === 'EDQUOT') return 'Free some space on the disk and try again.';
      if (/EISDIR|ENOTDIR|EEXIST/.test(reason)) return 'Name another file, or move what is in the way.';
      return 'Check the permissions of the folder, and that the disk is not mounted read-only.';
    },
  ),
  FOLDER_MISSING: entry<Path>(
    1,
    ({ path }) => `The folder of ${path} does not exist`,
    'Only the commands that make headers create folders; elsewhere a missing folder is most often a mistyped path.',
    () => 'Create the folder first, or mend the path.',
  ),
  FILE_EXISTS: entry<Path & { what: string }>(
    1,
    ({ path, what }) => `There is a ${what} at ${path} already; it was left as it is`,
    'A private key that is overwritten is lost, and with it every device that trusts it.',
    () => 'Move the old one away, or name another file.',
  ),

  KEY_NOT_FOUND: entry<Path & { kind: 'private' | 'public' }>(
    2,
    ({ path, kind }) => `No ${kind} key at ${path}`,
    'A key that was named does not exist.',
    () => 'Make a pair with: ota-hooks keygen',
  ),
  KEY_EMPTY: entry<Path>(
    1,
    ({ path }) => `The key ${path} is empty`,
    'An empty key file signs and verifies nothing.',
    () => 'Restore it from your backup, or make a new pair with: ota-hooks keygen',
  ),
  KEY_GARBLED: entry<Path & { kind: 'private' | 'public' }>(
    1,
    ({ path, kind }) => `${path} does not hold a ${kind} key in PEM form`,
    'The text between the BEGIN and END lines could not be decoded.',
    () => 'Keys are PEM text, PKCS#1 or PKCS#8, as openssl and `ota-hooks keygen` write them.',
  ),
  KEY_ENCRYPTED: entry<Path>(
    1,
    ({ path }) => `The private key ${path} is encrypted and no passphrase was given`,
    'A build cannot ask: hooks run without a terminal.',
    () =>
      'Put the passphrase into an environment variable and name it: --passphrase-env NAME, or "passphrase" in ota.config.json.',
  ),
  KEY_PASSPHRASE_WRONG: entry<Path>(
    1,
    ({ path }) => `The passphrase does not open the private key ${path}`,
    'The key could not be decrypted with the passphrase given.',
    () => 'Check the variable or the file that holds the passphrase.',
  ),
  KEY_IS_PRIVATE: entry<Path>(
    1,
    ({ path }) => `${path} is a private key where a public key is wanted`,
    'The public key is compiled into every firmware; a private key there would be published with it.',
    () =>
      'Give the public half: `openssl rsa -in private.key -pubout -out public.key`, or `ota-hooks keygen` for a new pair.',
  ),
  KEY_IS_PUBLIC: entry<Path>(
    1,
    ({ path }) => `${path} is a public key where a private key is wanted`,
    'Only the private half can sign.',
    () => 'Give the private key of the pair.',
  ),
  KEY_WRONG_TYPE: entry<Path & { type: string }>(
    1,
    ({ path, type }) =>
      `${path} is of type ${type.toUpperCase()}; only RSA keys work${type === 'ec' ? ': a device built with an EC key could never be updated again' : ''}`,
    'SigningVerifier::length() of the core is odd for EC keys and BearSSL refuses an odd length: a device built with one can never be updated again.',
    () => 'Make an RSA pair with: ota-hooks keygen',
  ),
  KEY_WRONG_SIZE: entry<Path & { bits: number }>(
    1,
    ({ path, bits }) => `${path} is an RSA key of ${bits} bits; 1024 to 4096 work`,
    'Smaller keys are broken and BearSSL on the device cannot use larger ones.',
    () => 'Make a pair of 2048 bits with: ota-hooks keygen',
  ),
  KEYS_DONT_MATCH: entry<{ privateKey: string; publicKey: string }>(
    1,
    ({ privateKey, publicKey }) =>
      `The keys do not belong together: ${privateKey} is not the private half of ${publicKey}`,
    'Devices built with this public key would refuse everything that this private key signs.',
    () => 'Restore the pair from your backup; both files must come from one key generation.',
  ),
  KEY_MISSING_FOR: entry<{ command: string; wanted: string }>(
    2,
    ({ command, wanted }) => `\`${command}\` needs ${wanted}`,
    'Without it there is nothing to work with.',
    () => 'Name the key, put private.key and public.key beside the sketch, or make a pair with: ota-hooks keygen',
  ),
  SIGNATURE_UNVERIFIED: entry<{ path: string }>(
    1,
    ({ path }) => `The signature made for ${path} does not verify with the public key; nothing was written`,
    'Every signature is checked with the public key before it is written; a device would have refused this one.',
    () =>
      'Check the signer: it may use another key, another hash or another padding than RSASSA-PKCS1-v1_5 with SHA-256.',
  ),

  IMAGE_EMPTY: entry<Path>(
    1,
    ({ path }) => `${path} is empty`,
    'There is nothing to sign or to send.',
    () => 'Build the firmware first.',
  ),
  IMAGE_NOT_FIRMWARE: entry<Reason>(
    1,
    ({ path, reason }) => `${path} is no firmware that an ESP8266 could run: ${reason}`,
    'What is not a firmware must not become a signed update.',
    () => 'Give the .bin that the build made (sketch, or LittleFS/SPIFFS image; --kind filesystem for the latter).',
  ),
  IMAGES_NONE: entry<{ patterns: readonly string[]; folder: string }>(
    1,
    ({ patterns, folder }) => `No image matches ${patterns.join(', ')} in ${folder}`,
    'Without an image there is nothing to pack.',
    () => 'Build first, name the .bin, or mend "images" in ota.config.json.',
  ),
  ENFORCEMENT_KEY_MISSING: entry<{ path: string; fingerprint: string; others: readonly string[] }>(
    1,
    ({ path, fingerprint, others }) =>
      `${path} does not contain the public key ${fingerprint.slice(0, 16)}…${others.length > 0 ? ` (but ${others.map((key) => `${key.slice(0, 16)}…`).join(', ')})` : ''}: a device running it would no longer check signatures of this key`,
    'A signed image without the key inside switches the signature check off on the first update (esp8266/Arduino#8659).',
    () =>
      'The generated Updater_Signing.h did not reach the compiler: build with `ota-hooks build` or the PlatformIO hook, and let the sketch use ESP8266WiFi (BearSSLHelpers.cpp holds the key).',
  ),
  ENFORCEMENT_VERIFIER_MISSING: entry<{ path: string; elf: string }>(
    1,
    ({ path, elf }) =>
      `${path} holds the public key, but ${elf} shows that the Updater does not use it: a device running it would accept anything`,
    'Updater.cpp was compiled without signing, most often because arduino-cli linked a core.a from its cache; the key alone proves nothing.',
    () =>
      'Build with `ota-hooks build` (it salts the cache key), or clean the core cache (`arduino-cli cache clean`), or pass --build-path; a sketch that calls Update.installSignature itself says so with "enforcement": "declared".',
  ),

  MANIFEST_INVALID: entry<Reason>(
    1,
    ({ path, reason }) => `${path} is no manifest of this tool: ${reason}`,
    'A manifest says which bytes may be signed or sent; a damaged one is not guessed at.',
    () => 'Make it again with: ota-hooks pack',
  ),
  ARTIFACT_CHANGED: entry<Path & { manifest: string }>(
    1,
    ({ path, manifest }) => `${path} is not the file that ${manifest} describes`,
    'The bytes changed after they were packed.',
    () => 'Pack again: ota-hooks pack',
  ),
  NOT_ACCEPTED: entry<Path & { verdict: string }>(
    1,
    ({ path, verdict }) => `${path}: a device with this key would refuse it: ${verdict}`,
    'The signature at the end of the file does not verify with the public key given.',
    () => 'Sign the unsigned file again with the private half of that key; compress first, sign last.',
  ),

  PREFLIGHT_REFUSED: entry<Path & { blockedBy: readonly { rule: string; message: string; fix: string }[] }>(
    3,
    ({ path, blockedBy }) =>
      `${path}: blocked by ${[...new Set(blockedBy.map(({ rule }) => rule))].join(', ')}${blockedBy[0] ? `: ${blockedBy[0].message}` : ''}`,
    'The update would brick the device, lock its owner out, or switch its signature check off; docs/never-brick.md has every rule.',
    ({ blockedBy }) =>
      `${waysOut(blockedBy.map(({ fix }) => fix))}. The only way past a rule is its name (--allow RULE), once you know better.`,
  ),
  FACTS_INVALID: entry<Path & { problems: readonly string[] }>(
    2,
    ({ path, problems }) => `${path} does not say what is known of a device: ${problems.join('; ')}`,
    'A fact that is misread is worse than an unknown one: what is sent depends on it.',
    () => 'Every key is optional, and an absent one is unknown; docs/never-brick.md lists them.',
  ),

  PROGRAM_MISSING: entry<{ program: string; howToGet: string }>(
    1,
    ({ program }) => `${program} was not found`,
    'The build is run by a program of its own, which must be installed.',
    ({ howToGet }) => howToGet,
  ),
  PROGRAM_FAILED: entry<{ command: string; outcome: string; hint?: string }>(
    1,
    ({ command, outcome }) => `${command} ${outcome}`,
    'The program ended with an error; its own output stands above.',
    ({ hint }) => hint ?? 'Read the output above; the command line can be run again by hand.',
  ),
  PROJECT_NOT_FOUND: entry<{ folder: string }>(
    2,
    ({ folder }) => `${folder} holds neither a platformio.ini nor a sketch (FOLDER/FOLDER.ino)`,
    'The build system is chosen by what the folder holds.',
    () => 'Change into the project, or name its folder: ota-hooks build --source DIR',
  ),
  CORE_NOT_FOUND: entry<{ folder: string }>(
    1,
    ({ folder }) => `No installed ESP8266 core was found below ${folder}`,
    'The hooks of the Arduino IDE stand in platform.local.txt beside the platform.txt of an installed core.',
    () => 'Install the esp8266 platform in the Boards Manager first, or name its folder: --platform DIR',
  ),

  DOCTOR_FOUND: entry<{ errors: number; fixable: number }>(
    1,
    ({ errors }) => `doctor found ${errors === 1 ? 'an error' : `${errors} errors`}`,
    'Each of them keeps builds or updates from working, or from being safe.',
    ({ fixable }) =>
      fixable > 0
        ? 'What to do stands above; --fix does the part of it that can do no harm: ota-hooks doctor --fix'
        : 'What to do about each stands above.',
  ),

  SQLITE_MISSING: entry<{ node: string; isInstalled: boolean; platform: string }>(
    1,
    ({ node, isInstalled, platform }) =>
      `The server on Node.js ${node} needs the package libsql, which ${isInstalled ? `cannot be loaded on ${platform}` : 'is not installed'}`,
    'Node.js 22.13 and newer have SQLite built in. On older versions the server uses the package libsql, which firmware projects do not need.',
    ({ isInstalled }) =>
      isInstalled
        ? 'Use Node.js 22.13 or newer, which needs no package.'
        : 'Run: npm install --save-dev libsql (npm install --global libsql if ota-hooks is installed globally), or use Node.js 22.13 or newer.',
  ),
  STORAGE_URL_UNKNOWN: entry<{ what: 'store' | 'blobs'; scheme: string | undefined; known: readonly string[] }>(
    2,
    ({ what, scheme }) =>
      scheme === undefined
        ? `The URL of the ${what} has no scheme`
        : `The URL of the ${what} has the unknown scheme ${scheme}:`,
    'The scheme selects the kind of storage. Messages do not contain the URL itself, because it may contain a password.',
    ({ known }) => `Use a URL that starts with ${known.map((scheme) => `${scheme}:`).join(' or ')}`,
  ),
  SERVER_DATA_IN_USE: entry<Path & { holder: string | undefined }>(
    1,
    ({ path, holder }) => `Another server uses ${path}${holder === undefined ? '' : ` (${holder})`}`,
    "Two servers on one data folder would not know of each other's decisions, and send a device more than it can take.",
    () => 'Stop the other one first, or talk to it with --server URL; or give this one a folder of its own.',
  ),
  SERVER_DATA_NEWER: entry<Path & { found: number; known: number }>(
    1,
    ({ path, found, known }) =>
      `${path} was written by a newer version of ota-hooks (layout ${found}; this one knows ${known})`,
    'An old server could damage what it does not know.',
    () => 'Update ota-hooks.',
  ),
  SERVER_DATA_UNREADABLE: entry<Reason>(
    1,
    ({ path, reason }) => `The data of the server in ${path} cannot be used: ${inWords(reason)}`,
    'The folder cannot be written to, or what stands there is no data of this server.',
    () =>
      "Check the folder's owner and the free space on its disk; `ota-hooks server restore` restores a backup into an empty folder.",
  ),
  SERVER_DATA_NOT_EMPTY: entry<Path>(
    1,
    ({ path }) => `${path} holds the data of a server already`,
    'A backup is restored into an empty folder only, so that nothing is mixed or lost.',
    () => 'Name another folder, or move the old one away.',
  ),
  SERVER_LISTEN_FAILED: entry<{ address: string; reason: string }>(
    1,
    ({ address, reason }) => `The server cannot listen on ${address}: ${reason}`,
    'The address is taken, is not one of this machine, or needs more rights.',
    () => 'Name another one with --listen HOST:PORT; port 0 takes any that is free.',
  ),
  TLS_FILE_UNUSABLE: entry<Reason>(
    1,
    ({ path, reason }) => `${path} cannot be used for HTTPS: ${inWords(reason)}`,
    'A server shows a certificate in PEM form, and proves it with the private key of the same pair.',
    () =>
      'Give PEM text: a certificate begins with BEGIN CERTIFICATE, a key with BEGIN PRIVATE KEY, and it has no passphrase.',
  ),
  TLS_KEY_MISMATCH: entry<{ cert: string; key: string }>(
    1,
    ({ cert, key }) => `The certificate ${cert} was not made for the key ${key}`,
    'A server has to prove that the certificate is its own.',
    () => 'Give the two that were made together; after a renewal both have to be new.',
  ),
  TLS_AUTHORITY_KEY_LOST: entry<Path>(
    1,
    ({ path }) => `The key of the authority, ${path}, is missing, though its certificate is there`,
    'Devices trust this authority; without its key no certificate can be made that they take.',
    () =>
      'Restore the folder from your backup. If the key is lost for good, remove the folder: a new authority is made, and devices have to be built for it.',
  ),
  BACKUP_INVALID: entry<Reason>(
    1,
    ({ path, reason }) => `${path} is no backup that can be restored: ${reason}`,
    'A damaged backup is not restored in part.',
    () => 'Take another one; `ota-hooks server backup` makes them.',
  ),
  SERVER_UNREACHABLE: entry<{ url: string; reason: string }>(
    1,
    ({ url, reason }) => `No answer from ${url}: ${reason}`,
    'The server is not running there, or something stands between.',
    () => 'Check the address, and that `ota-hooks serve` runs there.',
  ),
  SERVER_NOT_TRUSTED: entry<{ url: string; reason: string }>(
    1,
    ({ url, reason }) => `${url} is not trusted, and was sent nothing: ${reason}`,
    'A host in between could impersonate the server and read the token. This check cannot be disabled.',
    ({ reason }) => {
      if (/another name/.test(reason))
        return 'Use a name that the certificate has, or add this one: serve --tls-host NAME.';
      if (/expired|not valid yet/.test(reason)) return 'Check the clocks of both machines, and renew the certificate.';
      return 'If it is a server of yours with `serve --tls self-signed`: get ca.pem from the folder tls in its data, and name it with --ca FILE or in OTA_CA.';
    },
  ),
  SERVER_REFUSED: entry<{ url: string; status: number; code: string; message: string; hint: string }>(
    1,
    ({ url, status, code, message }) => `${url} answered ${status} (${code}): ${message}`,
    'The server understood the request and did not do it.',
    ({ hint }) => hint,
  ),

  MANIFEST_MISSING: entry<Path>(
    1,
    ({ path }) => `There is no manifest for ${path}`,
    'Only what `pack` has made and described is published: what a device may be sent follows from its manifest.',
    () =>
      'Pack it first: ota-hooks pack FILE. A build of the past that devices still run is made known with --reference OLD.bin.',
  ),
  NOT_SIGNED_YET: entry<Path>(
    1,
    ({ path }) => `${path} has a key, but nothing in it is signed`,
    'A device with this key would refuse all of it.',
    ({ path }) => `Sign it first: ota-hooks sign --private-key private.key --manifest ${path}`,
  ),
  PRIVATE_KEY_INSIDE: entry<Path>(
    1,
    ({ path }) => `THE PRIVATE KEY OF THE PROJECT IS IN ${path}; nothing was published`,
    'Anyone who downloads the image could sign updates for every device of the project.',
    () =>
      'Keep it out of the build (a folder for the filesystem, an embedded file); if the image has left this machine, make a new pair of keys.',
  ),
  RELEASES_CLASH: entry<{ reason: string; builds: string }>(
    2,
    ({ reason, builds }) => `${reason}: ${builds}`,
    'What is published together becomes one version; which build is meant is not guessed at.',
    () => 'Name the one that is meant, or remove the builds that are left over.',
  ),
  VERSION_TAKEN: entry<{ project: string; version: string; what: string; where: string }>(
    1,
    ({ project, version, what, where }) =>
      `${project} ${version} (${what}) was published before, with other bytes: ${where}`,
    'The bytes of a version never change: a device that has it must be able to say so.',
    () => 'Give this build a version of its own, and pack it again.',
  ),
  PUBLISH_AFTER_BUILD_FAILED: entry<{ exitCode: number }>(
    1,
    ({ exitCode }) => `The build was made, but not published (exit code ${exitCode})`,
    'The reason stands above, in the words of `ota-hooks publish`.',
    () =>
      'Its artifacts stand beside the image; `ota-hooks publish FILE` tries again. "publish.afterBuild" in ota.config.json says which builds are published.',
  ),
  TOKEN_UNBOUND: entry<{ variable: string; origin: string; boundTo: string | undefined }>(
    2,
    ({ variable, origin, boundTo }) =>
      `$${variable} is not sent to ${origin}, which only the configuration names${boundTo === undefined ? '' : `; it is for ${boundTo}`}`,
    'A configuration comes with the source tree, and so perhaps from a stranger, who could have the token sent to himself.',
    ({ variable, origin }) =>
      `If that is the server of the token: set ${variable}_ORIGIN=${origin} beside it, or publish with --to.`,
  ),
  SERVER_REDIRECTS: entry<{ url: string; location: string }>(
    1,
    ({ url, location }) => `${url} points to ${location}, where the token is not sent`,
    'A token is sent only to the origin that it was given for.',
    () => 'Give the address that is meant, with https:// where the server has it.',
  ),
  SERVER_NOT_OURS: entry<{ url: string; status: number }>(
    1,
    ({ url, status }) => `${url} answered ${status}, but not as an update server of ota-hooks`,
    'Something else listens there, or a proxy in front answers in its place.',
    () => 'Check the address; behind a proxy, the path under which it passes requests on belongs to it.',
  ),

  UPLOAD_FAILED: entry<{ share: string; devices: string; hint: string }>(
    1,
    ({ share, devices }) => `${share} not updated: ${devices}`,
    'The words of each device say why; one that said no is not asked again.',
    ({ hint }) => hint,
  ),
  PASSWORD_UNASKED: entry<{ devices: string }>(
    2,
    ({ devices }) => `The password of ${devices} is to be asked for, but there is no terminal`,
    'A password is never part of the command line. Without a terminal it comes from the environment or a file.',
    () =>
      'Name a variable with --password-env NAME, or "password" in ota.config.json: {"env": "NAME"} or {"file": "PATH"}.',
  ),
  DISCOVERY_UNAVAILABLE: entry<{ reason: string }>(
    1,
    ({ reason }) => `This machine cannot listen for devices (mDNS, UDP port 5353): ${reason}`,
    'Devices announce themselves by mDNS; without it they are reached by their addresses only.',
    () =>
      'Name the network with --interface ADDRESS, or let UDP port 5353 in; `upload --host ADDRESS` needs no discovery.',
  ),
  DEVICE_NOT_ADDED: entry<{ name: string; reason: string; hint: string }>(
    1,
    ({ name, reason }) => `${name} was not added: ${reason}`,
    'A device that answers on the network may belong to another owner, or be an impostor.',
    ({ hint }) => hint,
  ),
} satisfies Record<string, Entry<never>>;

export type ErrorCode = keyof typeof catalog;
export type FieldsOf<Code extends ErrorCode> = Parameters<(typeof catalog)[Code]['message']>[0];

/** Failure that users can cause or encounter, with a message, a hint and an exit code: `throw new OtaError('KEY_EMPTY', { path })`. */
export class OtaError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'OtaError';
  readonly code: Code;
  readonly fields: FieldsOf<Code>;
  readonly hint: string;
  readonly exitCode: ExitCode;

  constructor(code: Code, fields: FieldsOf<Code>, cause?: unknown) {
    // The lookup loses the relation between a code and its fields, which the constructor signature has checked.
    const found = catalog[code] as Entry<FieldsOf<Code>>;
    super(found.message(fields), cause === undefined ? undefined : { cause });
    this.code = code;
    this.fields = fields;
    this.hint = found.hint(fields);
    this.exitCode = found.exitCode;
  }
}

import { entry, type PathAndReason, type PathField } from './entry.ts';
import { asArgument } from './options.ts';

type KeyKind = 'private' | 'public';

/** Preflight rule that blocks the update, and the fix. */
export interface BlockingRule {
  readonly rule: string;
  readonly message: string;
  readonly fix: string;
  /** Artifact that the finding is about. Undefined if the finding is about the whole release or about one of several devices. */
  readonly artifact?: string | undefined;
}

type ForeignKeyForm = keyof typeof foreignKeyForms;

/** Key formats of other programs, and the commands that convert them to `private.pem` or `public.pem`. */
const foreignKeyForms = {
  'openssh-private': {
    name: 'an OpenSSH private key',
    convert: (path: string, kind: KeyKind) =>
      kind === 'private'
        ? `cp ${path} private.pem && chmod 600 private.pem && ssh-keygen -p -N "" -m PEM -f private.pem`
        : `ssh-keygen -y -f ${path} > key.pub && ssh-keygen -e -m PKCS8 -f key.pub > public.pem`,
  },
  'openssh-public': {
    name: 'an OpenSSH public key',
    convert: (path: string) => `ssh-keygen -e -m PKCS8 -f ${path} > public.pem`,
  },
  rfc4716: {
    name: 'a public key in the format of RFC 4716 (SSH2)',
    convert: (path: string) =>
      `ssh-keygen -i -m RFC4716 -f ${path} > key.pub && ssh-keygen -e -m PKCS8 -f key.pub > public.pem`,
  },
  putty: {
    name: 'a PuTTY private key',
    convert: (path: string, kind: KeyKind) =>
      kind === 'private'
        ? `puttygen ${path} -O private-openssh -o private.pem`
        : `puttygen ${path} -O public-openssh -o key.pub && ssh-keygen -e -m PKCS8 -f key.pub > public.pem`,
  },
  pkcs12: {
    name: 'a PKCS#12 file',
    convert: (path: string, kind: KeyKind) =>
      `openssl pkcs12 -in ${path} ${kind === 'private' ? '-nocerts -nodes -out private.pem' : '-clcerts -nokeys -out public.pem'}`,
  },
} as const;

const shortFingerprint = (fingerprint: string) => `${fingerprint.slice(0, 16)}…`;

/** Returns one sentence for each fix. Fixes of one rule for different artifacts are alternatives, joined with "or". */
function fixesOf(blocking: readonly BlockingRule[]): string {
  const alternatives = new Map<string, Set<string>>();
  for (const { rule, fix, artifact } of blocking) {
    const key = artifact === undefined ? `fix ${fix}` : `rule ${rule}`;
    alternatives.set(key, (alternatives.get(key) ?? new Set()).add(fix));
  }
  const sentences = [...alternatives.values()].map((fixes) => sentence([...fixes].join(', or ')));
  return [...new Set(sentences)].join(' ');
}

/** Names the artifact of a finding, unless the path is the artifact. */
function inArtifact(path: string, first: BlockingRule | undefined): string {
  return first?.artifact === undefined || path.endsWith(first.artifact) ? '' : ` in ${first.artifact}`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

export const coreEntries = {
  ARGUMENT_INVALID: entry<{ call: string; problem: string; hint?: string }>(
    2,
    ({ call, problem }) => `${call}: ${problem}`,
    'Only programs that use the library see this error. A misspelled option would otherwise be ignored.',
    ({ call, hint = '' }) => `${hint}See the type declarations of ${call} in the package, or docs/api.md.`,
  ),
  SECRET_MISSING: entry<{ variable: string; purpose: string; alternative?: string }>(
    2,
    ({ variable, purpose }) => `The environment variable ${variable} is not set: it must contain ${purpose}`,
    'ota-hooks reads secrets from the environment, a file or a prompt, never from the command line or the configuration file.',
    ({ variable, alternative }) =>
      `Set ${variable}${alternative === undefined ? '' : `, or ${alternative},`} and run the command again.`,
  ),

  SECRET_UNTRUSTED: entry<{
    purpose: string;
    source: string;
    config: string;
    alternative: string;
    howToAllow: string;
  }>(
    2,
    ({ purpose, source, config }) => `${source} was not used as ${purpose}: only ${config} names it`,
    'The source tree may be untrusted. Its configuration may name only sources that are meant for this use: variables with names such as OTA_DEVICE_KITCHEN, and files in the project.',
    ({ alternative, howToAllow }) => `If you trust the project to use it, ${alternative}, or ${howToAllow}`,
  ),
  SECRET_RESERVED: entry<{ source: string; purpose: string; hint: string }>(
    2,
    ({ source, purpose }) =>
      `${source} was not used as ${purpose}: it is, or may contain, a secret of a different kind`,
    'Tokens, private keys, passphrases, and credentials for databases and storage are never sent to devices and never published.',
    ({ hint }) => hint,
  ),

  VERSION_PLACEHOLDER: entry<{ version: string }>(
    2,
    ({ version }) =>
      `The firmware version ${JSON.stringify(version)} was rejected: it is a placeholder for a missing value`,
    'Scripts and CI systems pass placeholder words if they find no version.',
    () =>
      'Pass the version with --firmware-version, or set "version" in ota.config.json to a string, {"git": "tag"}, {"env": "NAME"} or {"file": "VERSION"}.',
  ),
  KEY_EMPTY: entry<PathField & { kind: KeyKind }>(
    1,
    ({ path, kind }) => `${path} is not a ${kind} key: it is empty`,
    'An empty key can neither sign nor verify.',
    ({ kind }) =>
      kind === 'public'
        ? 'Restore the key from a backup, or derive it from the private key: `openssl rsa -in private.key -pubout -out public.key`.'
        : 'Restore the key from a backup: devices that have its public key accept no other key.',
  ),
  KEY_GARBLED: entry<PathField & { kind: KeyKind }>(
    1,
    ({ path, kind }) => `${path} is not a ${kind} key: it is not valid PEM or DER`,
    'The content could be decoded neither as PEM text nor as DER bytes.',
    () => 'Use a key in PEM format (PKCS#1 or PKCS#8); `openssl` and `ota-hooks keygen` create such files.',
  ),
  KEY_FORM_UNSUPPORTED: entry<PathField & { form: ForeignKeyForm; kind: KeyKind }>(
    1,
    ({ path, form, kind }) => `${path} is not a ${kind} key in PEM or DER: it is ${foreignKeyForms[form].name}`,
    'ota-hooks reads keys in PEM or DER (PKCS#1, PKCS#8 or SPKI), not in formats of other programs.',
    ({ path, form, kind }) => {
      const target = kind === 'private' ? 'private.pem' : 'public.pem';
      return `Convert it, and use ${target}: ${foreignKeyForms[form].convert(asArgument(path), kind)}`;
    },
  ),
  KEY_ENCRYPTED: entry<PathField>(
    1,
    ({ path }) => `The private key ${path} could not be decrypted: no passphrase is configured`,
    'The command has no terminal on which it could prompt for the passphrase.',
    () =>
      'Pass --passphrase-env NAME or --passphrase-file FILE, set "passphrase" in ota.config.json, or run the command at a terminal.',
  ),
  KEY_PASSPHRASE_WRONG: entry<PathField>(
    1,
    ({ path }) => `The private key ${path} could not be decrypted: the passphrase is incorrect`,
    'OpenSSL could not decrypt the key with this passphrase.',
    () => 'Check the passphrase: the environment variable, the file or the input at the prompt.',
  ),
  PASSPHRASE_UNUSABLE: entry<PathField & { problem: string }>(
    2,
    ({ path, problem }) => `The private key ${path} was not created: ${problem}`,
    'A key whose passphrase is mistyped could never be used.',
    () => 'Run the command again with a passphrase of at least 8 characters.',
  ),
  KEY_IS_PRIVATE: entry<PathField>(
    1,
    ({ path }) => `${path} is not a public key: it is a private key`,
    'The public key is compiled into every firmware image. A private key in its place would be published with the image.',
    () => 'Use the public key; to derive it, run `openssl rsa -in private.key -pubout -out public.key`.',
  ),
  KEY_IS_PUBLIC: entry<PathField>(
    1,
    ({ path }) => `${path} is not a private key: it is a public key`,
    'Only the private key can sign.',
    () => 'Use the matching private key.',
  ),
  KEY_WRONG_TYPE: entry<PathField & { type: string }>(
    1,
    ({ path, type }) =>
      `${path} is a key of type ${type.toUpperCase()}: only RSA keys are supported${type === 'ec' ? ', and a device built with an EC key could never be updated again' : ''}`,
    'For EC keys, SigningVerifier::length() in the core is odd, and BearSSL rejects an odd length: a device built with an EC key can never be updated again.',
    () => 'Move the key elsewhere and run `ota-hooks keygen`, which creates an RSA key pair.',
  ),
  KEY_WRONG_SIZE: entry<PathField & { bits: number }>(
    1,
    ({ path, bits }) => `${path} is an RSA key of ${bits} bits: only 1024 to 4096 bits are supported`,
    'Smaller keys are insecure, and BearSSL on the device cannot use larger ones.',
    () => 'Move the key elsewhere and run `ota-hooks keygen`, which creates a 2048-bit key pair.',
  ),
  GUARD_KEYS: entry<{ problem: string }>(
    2,
    ({ problem }) => `The guard cannot use the keys of this project: ${problem}`,
    'A guarded device tries its keys one after the other. Too many or too large keys would let the watchdog reset it, and the key table requires a multiple of 32 bits and an exponent below 2^32.',
    () =>
      'Set "role": "retired" for keys that devices no longer need, in "keys" in ota.config.json: at most 8 keys may be signing or backup keys, and at most 2 of them larger than 2048 bits.',
  ),
  GUARD_WITHOUT_KEY: entry<{ config: string }>(
    2,
    ({ config }) => `${config} contains "guard", but the project has no key`,
    'The guard checks signatures. Firmware without a key would accept every update.',
    () => 'Run `ota-hooks keygen`, or remove "guard".',
  ),
  KEYS_DONT_MATCH: entry<{ privateKey: string; publicKey: string }>(
    1,
    ({ privateKey, publicKey }) => `The keys do not match: ${privateKey} is not the private key for ${publicKey}`,
    'Devices built with this public key would reject all updates signed with this private key.',
    () => 'Restore a matching key pair from a backup.',
  ),
  SIGNATURE_UNVERIFIED: entry<PathField>(
    1,
    ({ path }) => `${path} was not signed: the new signature does not verify with the public key`,
    'Every signature is verified before it is written, because a device would reject an invalid one.',
    () =>
      'Check the signer: it must use the private key that matches this public key, with SHA-256 and RSASSA-PKCS1-v1_5.',
  ),

  SIGNER_UNKNOWN: entry<{ signer: string; known: readonly string[]; userConfig: string }>(
    2,
    ({ signer, known, userConfig }) =>
      `There is no signer ${JSON.stringify(signer)} in ${userConfig}: ${known.length === 0 ? 'it configures none' : `it configures ${known.join(', ')}`}`,
    'Only your user configuration defines signers, because a signer is a program that runs with your permissions.',
    ({ signer, userConfig }) => `Add ${JSON.stringify(signer)} under "signers" in ${userConfig}.`,
  ),
  SIGNER_KEY_MISSING: entry<{ signer: string }>(
    2,
    ({ signer }) => `The signer ${signer} was not used: there is no public key to verify its signatures with`,
    'Every signature of a program is verified with the public key before it is used.',
    () => 'Save the public key of the signer as public.key next to the sketch, or pass --public-key FILE.',
  ),
  SIGNER_NO_LEGACY: entry<{ signer: string; input: string }>(
    2,
    ({ signer, input }) =>
      `The signer ${signer} cannot make the legacy signature for devices on core 2.5.x: its input is ${input}`,
    'A legacy signature is raw PKCS#1 v1.5 over a bare digest. Only a program that pads its input unchanged can make it.',
    () =>
      'Use a program that makes raw PKCS#1 v1.5 signatures, with the input digest-info, or sign without the legacy file.',
  ),
  SIGNER_FAILED: entry<{ signer: string; problem: string; hint: string }>(
    1,
    ({ signer, problem }) => `The signer ${signer} returned no usable signature: ${problem}`,
    'Every signature is checked before any file is written, because a device would reject an invalid one.',
    ({ hint }) => hint,
  ),
  SIGNING_LOG_BROKEN: entry<PathField & { entry: number; problem: string }>(
    1,
    ({ path, entry, problem }) => `The signing log ${path} was changed: entry ${entry} is invalid, ${problem}`,
    'Each entry contains the hash of the entry before, so that no entry can be changed, removed or inserted unnoticed.',
    ({ path }) =>
      `Find out what changed the file. To start a new log, move ${path} to a different place and keep it as evidence.`,
  ),
  FILE_LOCKED: entry<PathField & { lock: string }>(
    1,
    ({ path }) => `${path} was not written: a command was killed while it removed an old lock`,
    'Two commands that write at the same time would lose a change. Therefore no command removes this lock.',
    ({ lock }) => `Delete ${lock}, and run the command again.`,
  ),
  SIGNING_LOG_REWRITTEN: entry<PathField & { entry: number; hasEntry: boolean }>(
    1,
    ({ path, entry, hasEntry }) =>
      `The signing log ${path} was rewritten: ${hasEntry ? `entry ${entry} has a different hash` : `it has no entry ${entry}`}`,
    'A chain that was rewritten as a whole is valid in itself. Only a head that was kept elsewhere shows the change.',
    ({ path }) => `Find out what replaced the file, and compare ${path} with a backup.`,
  ),
  SIGNING_LOG_UNRECORDED: entry<PathField & { server: string; projects: readonly string[] }>(
    1,
    ({ path, server, projects }) => `${server} has no receipt for the signing log ${path} in ${projects.join(', ')}`,
    'The server returns a receipt for each publication with new signatures. A log that was replaced as a whole has none.',
    () =>
      'If nothing was published from this log yet, publish a release first. Otherwise, find out what replaced the log.',
  ),
  SIGNATURE_REJECTED: entry<{ path: string; problem: string; hint: string }>(
    1,
    ({ path, problem }) => `${path} was not used: ${problem}`,
    'A detached signature is verified with the public key and the bytes that it must cover before any file is written.',
    ({ hint }) => hint,
  ),

  IMAGE_EMPTY: entry<PathField>(
    1,
    ({ path }) => `${path} is not an image: it is empty`,
    'An empty file cannot be signed or sent.',
    () => 'Build the firmware again.',
  ),
  IMAGE_NOT_FIRMWARE: entry<PathAndReason>(
    1,
    ({ path, reason }) => `${path} is not an ESP8266 firmware image: ${reason}`,
    'Only firmware images may be signed and sent as updates.',
    () =>
      'Pass the .bin file from the build; for a filesystem image that is not recognized, add --kind filesystem to `ota-hooks pack`.',
  ),
  IMAGE_WRONG_KIND: entry<PathField & { kind: string; expected: string; hint: string }>(
    2,
    ({ path, kind, expected }) =>
      `${path} is not a ${expected} image: ${kind === 'unknown' ? 'its kind is unknown' : `it is a ${kind} image`}`,
    'Writing a sketch as a filesystem, or a filesystem as a sketch, destroys data that the device needs.',
    ({ hint }) => hint,
  ),
  IMAGE_COMPRESSED: entry<PathField>(
    1,
    ({ path }) => `${path} cannot be run: it is compressed`,
    'The virtual device runs uncompressed images, as a real device does.',
    () => 'Pass the uncompressed image from the build, without .gz.',
  ),
  IMAGE_ALREADY_SIGNED: entry<PathField>(
    1,
    ({ path }) => `${path} cannot be packed: it is already signed`,
    'After a second signing, the device would install the first signature as part of the image.',
    () => 'Pass the unsigned image from the build.',
  ),
  GZIP_EXTRA_FIELD: entry<PathField>(
    1,
    ({ path }) => `${path} cannot be packed: its gzip header has an extra field of another program`,
    'Devices read the metadata of an update from the first extra field of the gzip header, so the other field would hide it.',
    () => 'Compress the image without the extra field, or pack it with --no-metadata.',
  ),
  IMAGES_NONE: entry<{ what: string; patterns: readonly string[]; folder: string }>(
    1,
    ({ what, patterns, folder }) => `No ${what} found: nothing in ${folder} matches ${patterns.join(', ')}`,
    'The file patterns are set by "images" in ota.config.json. Without "images", the command searches the folder for manifests.',
    () => 'Build and pack the firmware, pass the path of a file, or correct "images" in ota.config.json.',
  ),
  ENFORCEMENT_KEY_MISSING: entry<PathField & { fingerprint: string; others: readonly string[] }>(
    1,
    ({ path, fingerprint, others }) =>
      `${path} does not contain the public key ${shortFingerprint(fingerprint)}${others.length > 0 ? `, but ${others.map(shortFingerprint).join(', ')}` : ''}: a device with this image would not verify signatures with the key`,
    'A device stops verifying signatures after it installs an image without the key (esp8266/Arduino#8659).',
    () =>
      'Build with `ota-hooks build` or the PlatformIO hook, so that Updater_Signing.h reaches the compiler, and use ESP8266WiFi in the sketch (BearSSLHelpers.cpp contains the key).',
  ),
  ENFORCEMENT_KEY_UNUSED: entry<PathField & { elf: string; fingerprint: string; detail: string }>(
    1,
    ({ path, elf, fingerprint, detail }) =>
      `${path} contains the public key ${shortFingerprint(fingerprint)}, but according to ${elf} ${detail}: a device with this image would reject updates signed with the project's key`,
    'The image contains several public keys, and Updater_Signing.h contained a different one when the core was compiled.',
    () =>
      'Remove other copies of Updater_Signing.h from the sketch and the include path, and build with `ota-hooks build`.',
  ),
  GUARD_STALE: entry<PathField & { differences: readonly string[] }>(
    1,
    ({ path, differences }) =>
      differences.length === 0
        ? `${path} does not contain the guard that the configuration requires`
        : `${path} contains a guard that differs from the configuration: ${differences.join(', ')}`,
    'A header of an earlier build, or a copy that hides the generated header, would give devices other keys or limits than the configuration states.',
    () => 'Build with `ota-hooks build` or the PlatformIO hook, which generate Updater_Signing.h again.',
  ),
  ENFORCEMENT_VERIFIER_MISSING: entry<PathField & { elf: string }>(
    1,
    ({ path, elf }) =>
      `${path} contains the public key, but according to ${elf} the Updater does not use the key: a device with this image would accept unsigned updates`,
    'Updater.cpp was compiled without signing, usually because arduino-cli linked a core.a from its cache.',
    () =>
      'Build with `ota-hooks build`, which does not use a stale core cache. With arduino-cli, run `arduino-cli cache clean` or pass --build-path. If the sketch calls Update.installSignature itself, set "enforcement": "declared" in ota.config.json.',
  ),

  NAME_UNPRINTABLE: entry<{ what: string; name: string }>(
    2,
    ({ what, name }) => `The ${what} contains control characters or text direction marks: ${name}`,
    'Manifests, servers and terminals show these names, and such characters can rewrite a screen or make one name look like another.',
    ({ what }) => `Change the ${what}.`,
  ),
  MANIFEST_INVALID: entry<PathAndReason>(
    1,
    ({ path, reason }) => `${path} is not a valid manifest: ${reason}`,
    'A manifest determines which bytes are signed and sent, so a damaged manifest is rejected.',
    () => 'Restore the file, or run `ota-hooks pack` on the image to recreate it.',
  ),
  FORMAT_TOO_NEW: entry<{ of: string; what: 'manifest' | 'backup' | 'API'; found: number; known: number }>(
    1,
    ({ of, what, found, known }) =>
      `${of} uses ${what} format ${found}, but this version of ota-hooks supports only formats up to ${known}`,
    'A newer format can contain facts that this version does not recognize, so it is rejected as a whole.',
    () => 'Update ota-hooks.',
  ),
  ARTIFACT_CHANGED: entry<PathField & { manifest: string }>(
    1,
    ({ path, manifest }) => `${path} does not match ${manifest}: the manifest describes different bytes`,
    'The file was changed or replaced after it was packed.',
    () => 'Run `ota-hooks pack` on the image again.',
  ),
  BUILD_NOT_AS_DESCRIBED: entry<PathField & { differences: readonly string[] }>(
    1,
    ({ path, differences }) =>
      `${path} was not signed: the manifest does not match its files: ${differences.join('; ')}`,
    'The signer reads the image, because a manifest from a compromised or outdated build machine can contain incorrect facts.',
    () => 'Pack the build again with the version of ota-hooks that signs the build.',
  ),
  PROOF_NOT_SHOWN: entry<PathField & { claim: string; reason: string }>(
    3,
    ({ path, claim, reason }) => `${path} was not signed: the manifest claims that ${claim}, but ${reason}`,
    'The signer reads the ELF file, because a manifest from a compromised build machine can contain incorrect facts.',
    () =>
      'Copy the ELF file of the build to the folder that contains the image, or pass the file with --elf. If the sketch calls Update.installSignature itself, pass --declare-enforcement.',
  ),
  NOT_SIGNED_YET: entry<PathField>(
    1,
    ({ path }) => `${path} cannot be used: the project has a public key, but the build is not signed`,
    'Devices with this key reject unsigned artifacts.',
    ({ path }) => `Sign it with \`ota-hooks sign --private-key private.key --manifest ${path}\`.`,
  ),
  NOT_ACCEPTED: entry<PathField & { verdict: string }>(
    1,
    ({ path, verdict }) => `${path} would be rejected by devices with this key: ${verdict}`,
    'The signature at the end of the file does not verify with the public key.',
    () =>
      'Sign the unsigned file with the private key that matches this public key; compress before signing, not after.',
  ),

  UPDATE_BLOCKED: entry<PathField & { blockedBy: readonly BlockingRule[] }>(
    3,
    ({ path, blockedBy }) =>
      `${path} is blocked by ${[...new Set(blockedBy.map(({ rule }) => rule))].join(', ')}${inArtifact(path, blockedBy[0])}${blockedBy[0] ? `: ${blockedBy[0].message}` : ''}`,
    'The update would brick the device, lock its owner out, or turn off its signature check; docs/never-brick.md lists all rules.',
    ({ blockedBy }) =>
      `${fixesOf(blockedBy)} Pass ${[...new Set(blockedBy.map(({ rule }) => `--allow ${rule}`))].join(' ')} only if you know that the update is safe.`,
  ),
  FACTS_INVALID: entry<PathField & { problems: readonly string[] }>(
    2,
    ({ path, problems }) => `The device facts in ${path} are invalid: ${problems.join('; ')}`,
    'Device facts determine what is sent to the device, so invalid facts are rejected.',
    () => 'Correct or remove the invalid facts; all facts are optional, and docs/never-brick.md lists them.',
  ),
};

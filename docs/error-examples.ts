import type { ErrorCode, FieldsOf } from '../src/errors/ota-error.ts';

const someKey = '4f1c7e0a9d2b8c35';
const hintOfCase = 'The hint depends on the case.';

/**
 * Example values for each error, as a user could encounter them. A code without an example is a compile error. Each example becomes a line
 * on the page.
 */
export const errorExamples = {
  USAGE: [{ message: "unknown option '--hots' (Did you mean --host?)" }],
  OUTPUT_CONFLICT: [{ path: 'private.key' }],
  CONFIRMATION_UNASKED: [{ command: 'init' }, { command: 'server tokens revoke' }],
  CONFIRMATION_DECLINED: [{ command: 'server tokens revoke' }],
  PASSWORD_NOT_PROMPTED: [{ devices: 'kitchen' }],
  URL_PASSWORD_EXPOSED: [{ option: '--database' }, { option: '--blobs' }, { option: '--mqtt' }],
  OPEN_FILES_LIMIT: [{}],
  BUILD_AMBIGUOUS: [
    {
      builds: ['.pio/build/d1_mini/firmware.bin', '.pio/build/nodemcu/firmware.bin'],
      environments: ['d1_mini', 'nodemcu'],
    },
    { builds: ['build/door.ino.bin', 'build/other.ino.bin'], environments: ['build'] },
  ],
  KEY_MISSING_FOR: [
    { command: 'verify', wanted: '--public-key FILE' },
    { command: 'sign', wanted: '--private-key FILE', isRecorded: true },
  ],
  KEY_IN_ENVIRONMENT: [{ kind: 'private', variable: 'DOOR_KEY' }],
  INIT_NOT_INSTALLED: [{}],
  PLUG_N_PLAY_UNSUPPORTED: [{}],
  DOCTOR_FOUND: [
    { errors: 2, fixable: 1 },
    { errors: 1, fixable: 0 },
  ],
  UPLOAD_FAILED: [
    { failed: 1, total: 3, devices: 'kitchen: no response' },
    { failed: 1, total: 1, devices: 'kitchen: wrong password', hint: hintOfCase },
  ],
  DISCOVERY_UNAVAILABLE: [
    {
      reason: 'EADDRINUSE',
      hint: 'Pass --interface ADDRESS, or allow UDP port 5353 in the firewall; `upload --host ADDRESS` works without discovery.',
    },
  ],
  DEVICE_NOT_ADDED: [
    { name: 'kitchen', reason: 'the configuration already has a device with this name', hint: hintOfCase },
  ],
  PAGE_LISTEN_FAILED: [{ address: '127.0.0.1:8300', reason: 'EADDRINUSE' }],
  SIMULATOR_ALL_OFFLINE: [{ reasons: ['not-loadable'] }, { reasons: ['not-loadable', 'injected-fault'] }],
  SIMULATOR_LISTEN_FAILED: [{ address: '127.0.0.1:8266', reason: 'EADDRINUSE' }],
  PUBLISH_AFTER_BUILD_FAILED: [{ exitCode: 1, file: 'build/door.ino.bin' }],
  ROLLOUT_NOT_FOUND: [{ project: 'door', channel: 'stable' }],
  ROLLOUT_NOT_COMPLETE: [
    { project: 'door', version: '1.4.3', state: 'halted', reason: '2 devices did not confirm 1.4.3 (limit: 2)' },
    { project: 'door', version: '1.4.3', state: 'aborted' },
  ],
  TOKEN_NAME_AMBIGUOUS: [{ name: 'ci', ids: ['4f6a0c12b7de', '9b1d2c33aa01'] }],
  DEVICE_PROJECT_UNKNOWN: [
    { file: 'TEMP-1.0.0.bin', mac: '18:FE:AA:AA:AA:BB', suggestion: '' },
    { file: '', mac: '18:FE:AA:AA:AA:BB', suggestion: '' },
  ],
  DEVICE_NAME_UNKNOWN: [{ project: 'door', name: 'front-dor', suggestion: 'Did you mean front-door? ' }],
  DEVICE_NAME_AMBIGUOUS: [{ name: 'lamp', macs: ['18:FE:34:AA:BB:CC', '18:FE:34:AA:BB:CD'], isMore: false }],
  LIBRARY_MISSING: [{ library: 'bonjour-service' }],
  DEVICE_TABLE_INVALID: [{ path: 'arduino-db.json', reason: 'line 3: "18:FE" is not a MAC address' }],

  OPTION_INVALID: [{ option: '--limit', value: '0', expected: 'must be a positive integer' }],
  OPTION_MISSING: [{ subject: '`sign`', wanted: '--bin FILE or --manifest FILE' }],
  OPTIONS_CONFLICT: [{ option: '--host', other: '--all' }],

  CONFIG_NOT_FOUND: [{ path: 'ota.config.jsn' }],
  CONFIG_UNREADABLE: [{ path: 'ota.config.json', reason: 'JSON syntax error at line 3, column 2' }],
  CONFIG_INVALID: [{ path: 'ota.config.json', problems: ['color is not a known key', 'legacy must be true or false'] }],
  SOURCE_UNTRUSTED: [{ build: '/home/ada/downloads/door/build', sketch: '/home/ada/Arduino/heater' }],
  CONFIG_OF_OTHER_USER: [
    {
      path: '/srv/ota.config.json',
      owner: 1001,
      isConfig: true,
      folder: '/srv',
      userConfig: '/home/ada/.config/ota-hooks/config.json',
    },
  ],
  USER_CONFIG_INVALID: [{ path: '/home/ada/.config/ota-hooks/config.json', reason: 'it is not valid JSON' }],
  USER_CONFIG_UNSAFE: [
    { path: '/home/ada/.config/ota-hooks/config.json', problem: 'mode' },
    { path: '/home/ada/.config/ota-hooks/tokens.json', problem: 'readable' },
  ],
  KEY_NOT_FOUND: [{ path: 'public.key', kind: 'public' }],
  KEY_NOT_RECORDED: [
    {
      config: 'ota.config.json',
      keys: [{ name: 'main', fingerprint: someKey }],
      problem: 'public key not found: public.key',
    },
  ],
  KEYS_RECORDED: [{ config: 'ota.config.json', keys: [{ name: 'main', fingerprint: someKey }] }],
  KEY_NAME_UNKNOWN: [
    { name: 'vault', known: ['main'] },
    { name: 'vault', known: [] },
  ],
  KEY_NAME_TAKEN: [{ name: 'vault', problem: 'the configuration already has a key with this name' }],
  KEY_ROLE: [
    { name: 'main', role: 'signing' },
    { name: 'old', role: 'retired' },
  ],
  HOP_MISSING: [
    { name: 'spare', signing: 'vault', held: 'main', devices: 12 },
    { name: 'spare', signing: 'vault', held: 'main', devices: undefined },
  ],
  KEY_IN_USE: [
    { name: 'main', signing: 'vault', devices: 12 },
    { name: 'main', signing: 'vault', devices: undefined },
  ],
  KEYS_NO_CONFIG: [{ folder: '/home/ada/door' }],
  KEYS_NOT_WRITTEN: [{ config: 'ota.config.yaml', keys: '[{"name":"main"}]' }],
  HOP_KEY: [{ name: 'main' }],
  SIGNING_REQUIRED: [{ path: 'firmware.bin', problem: 'there is no private key' }],
  GUARD_REPLACED: [{ places: ['src/main.cpp:12'] }],
  PROGRAM_MISSING: [{ program: 'arduino-cli', howToGet: 'Install arduino-cli 1.x, or use PlatformIO.' }],
  PROGRAM_FAILED: [{ command: 'arduino-cli compile door', outcome: 'failed with exit code 1' }],
  PROJECT_NOT_FOUND: [{ folder: '/home/ada' }],
  PROJECT_FOLDER_UNSAFE: [{ folder: '/home/ada', place: 'your home folder' }],
  BUILD_NOT_HOOKED: [{ environment: 'd2' }],
  PROJECT_AMBIGUOUS: [{ folder: '/home/ada/devices', projects: ['door', 'kitchen'] }],
  PLATFORMIO_INI_INVALID: [{ path: 'platformio.ini', reason: 'it starts with a byte order mark' }],
  HOOK_NOT_ADDED: [{ path: 'platformio.ini', environment: 'd1_mini' }],
  HOOK_NOT_EFFECTIVE: [{ environments: ['[env:d1_mini]'] }],
  INIT_NO_ESP8266: [{ folder: '/home/ada/lamp', environments: ['lamp: espressif32'] }],
  INIT_RECORD_DAMAGED: [{ path: '.ota/init.json', reason: 'it is not JSON' }],
  CORE_NOT_FOUND: [{ folder: '/home/ada/.arduino15' }],
  CORE_UNSUPPORTED: [{ folder: '/home/ada/.arduino15/packages/esp8266/hardware/esp8266/2.5.2' }],
  HOOK_ARGUMENT_INVALID: [{ argument: `/home/ada/my" door' x` }],
  HOOK_LINES_DAMAGED: [{ path: 'platform.local.txt', line: 7 }],

  SECRET_UNTRUSTED: [
    {
      purpose: 'the password of kitchen',
      source: 'the environment variable GITHUB_TOKEN',
      config: 'ota.config.json',
      alternative: 'pass --password-env GITHUB_TOKEN',
      howToAllow:
        'add to /home/ada/.config/ota-hooks/config.json: {"projects":{"/home/ada/door":{"devicePasswords":[{"env":"GITHUB_TOKEN"}]}}}',
    },
  ],
  SECRET_RESERVED: [
    { purpose: 'the password of kitchen', source: 'the environment variable OTA_TOKEN', hint: hintOfCase },
  ],
  SECRET_MISSING: [
    { variable: 'KEY_PASSPHRASE', purpose: 'the passphrase of the private key' },
    {
      variable: 'OTA_TOKEN',
      purpose: 'the token for https://ota.example.com',
      alternative: 'run `ota-hooks login https://ota.example.com`',
    },
  ],
  ARGUMENT_INVALID: [
    { call: 'packImage', problem: 'compresion is not an option', hint: 'Did you mean compression? ' },
    { call: 'deliver', problem: 'options.kind is missing' },
  ],
  VERSION_PLACEHOLDER: [{ version: 'null' }],
  KEY_EMPTY: [
    { path: 'private.key', kind: 'private' },
    { path: 'public.key', kind: 'public' },
  ],
  KEY_GARBLED: [{ path: 'private.key', kind: 'private' }],
  KEY_FORM_UNSUPPORTED: [
    { path: 'my.key', form: 'openssh-private', kind: 'private' },
    { path: 'my.key', form: 'openssh-private', kind: 'public' },
    { path: 'my.pub', form: 'openssh-public', kind: 'public' },
    { path: 'my.pub', form: 'rfc4716', kind: 'public' },
    { path: 'my.ppk', form: 'putty', kind: 'private' },
    { path: 'my.ppk', form: 'putty', kind: 'public' },
    { path: 'my.p12', form: 'pkcs12', kind: 'private' },
    { path: 'my.p12', form: 'pkcs12', kind: 'public' },
  ],
  KEY_ENCRYPTED: [{ path: 'private.key' }],
  KEY_PASSPHRASE_WRONG: [{ path: 'private.key' }],
  PASSPHRASE_UNUSABLE: [{ path: 'private.key', problem: 'the two passphrases differ' }],
  KEY_IS_PRIVATE: [{ path: 'public.key' }],
  KEY_IS_PUBLIC: [{ path: 'private.key' }],
  KEY_WRONG_TYPE: [{ path: 'private.key', type: 'ec' }],
  KEY_WRONG_SIZE: [{ path: 'private.key', bits: 512 }],
  GUARD_KEYS: [{ problem: 'there are 11 keys, and a device can try at most 8' }],
  GUARD_WITHOUT_KEY: [{ config: 'ota.config.json' }],
  KEYS_DONT_MATCH: [{ privateKey: 'private.key', publicKey: 'public.key' }],
  SIGNATURE_UNVERIFIED: [{ path: 'door.ino.bin' }],
  SIGNER_UNKNOWN: [{ signer: 'token', known: ['hsm', 'kms'], userConfig: '/home/ada/.config/ota-hooks/config.json' }],
  SIGNER_KEY_MISSING: [{ signer: 'hsm' }],
  SIGNER_NO_LEGACY: [{ signer: 'kms', input: 'digest' }],
  SIGNER_FAILED: [
    {
      signer: 'hsm',
      problem: 'pkcs11-tool failed with exit code 1',
      hint: 'Find the cause in the output of the program above.',
    },
  ],
  SIGNING_LOG_BROKEN: [
    { path: '/home/ada/.local/share/ota-hooks/signing-log.jsonl', entry: 7, problem: 'it does not match its hash' },
  ],
  FILE_LOCKED: [
    {
      path: '/home/ada/.local/share/ota-hooks/signing-log.jsonl',
      lock: '/home/ada/.local/share/ota-hooks/signing-log.jsonl.lock.removal',
    },
  ],
  SIGNING_LOG_REWRITTEN: [{ path: '/home/ada/.local/share/ota-hooks/signing-log.jsonl', entry: 12, hasEntry: true }],
  SIGNING_LOG_UNRECORDED: [
    {
      path: '/home/ada/.local/share/ota-hooks/signing-log.jsonl',
      server: 'https://ota.example.com',
      projects: ['door'],
    },
  ],
  SIGNATURE_REJECTED: [
    {
      path: 'door.signature',
      problem: 'it is a signature of different bytes',
      hint: 'Sign the file that `sign --digest-only` wrote for this image.',
    },
  ],

  IMAGE_EMPTY: [{ path: 'build/door.ino.bin' }],
  IMAGE_NOT_FIRMWARE: [{ path: 'README.md', reason: 'its content is not recognized' }],
  IMAGE_WRONG_KIND: [
    {
      path: 'build/littlefs.bin',
      kind: 'filesystem',
      expected: 'sketch',
      hint: 'Pass --kind filesystem, or a sketch image.',
    },
  ],
  IMAGE_COMPRESSED: [{ path: 'build/door.ino.bin.gz' }],
  IMAGE_ALREADY_SIGNED: [{ path: 'build/door.ino.bin.signed' }],
  GZIP_EXTRA_FIELD: [{ path: 'build/door.ino.bin' }],
  IMAGES_NONE: [{ what: 'image', patterns: ['build/**/*.ino.bin'], folder: 'door' }],
  ENFORCEMENT_KEY_MISSING: [{ path: 'build/door.ino.bin', fingerprint: someKey, others: [] }],
  ENFORCEMENT_KEY_UNUSED: [
    {
      path: 'build/door.ino.bin',
      elf: 'build/door.ino.elf',
      fingerprint: '5e'.repeat(32),
      detail: `the Updater verifies updates with the key ${'a3'.repeat(32)}`,
    },
  ],
  GUARD_STALE: [
    { path: 'build/door.ino.bin', differences: [] },
    { path: 'build/door.ino.bin', differences: ['keys', 'securityVersion'] },
  ],
  ENFORCEMENT_VERIFIER_MISSING: [{ path: 'build/door.ino.bin', elf: 'build/door.ino.elf' }],

  NAME_UNPRINTABLE: [{ what: 'file name', name: 'door\\u001b.bin' }],
  MANIFEST_INVALID: [{ path: 'build/door.ino.bin.ota.json', reason: 'it is not JSON (Unexpected end of JSON input)' }],
  FORMAT_TOO_NEW: [
    { of: 'build/door.ino.bin.ota.json', what: 'manifest', found: 2, known: 1 },
    { of: 'https://ota.example.com', what: 'API', found: 2, known: 1 },
  ],
  ARTIFACT_CHANGED: [{ path: 'build/door.ino.bin.signed', manifest: 'build/door.ino.bin.ota.json' }],
  BUILD_NOT_AS_DESCRIBED: [
    { path: 'build/door.ino.bin.ota.json', differences: ['the public keys in door.ino.bin do not match'] },
  ],
  PROOF_NOT_SHOWN: [
    {
      path: 'build/door.ino.bin.ota.json',
      claim: 'the ELF file shows that devices verify signatures',
      reason: 'there is no ELF file',
    },
  ],
  NOT_SIGNED_YET: [{ path: 'build/door.ino.bin.ota.json' }],
  NOT_ACCEPTED: [{ path: 'build/door.ino.bin', verdict: 'ERROR[12]: Signature verification failed' }],
  UPDATE_BLOCKED: [
    {
      path: 'build/door.ino.bin.ota.json',
      blockedBy: [
        {
          rule: 'wrong-key',
          message:
            'the artifact is signed with key 60b1cdb72aab1a01…, but the device has key 9f2ae1d0c4b7e853…: it would reject the update with ERROR 12',
          fix: 'sign the artifact with key 9f2ae1d0c4b7e853…',
          artifact: 'door.ino.bin.signed',
        },
      ],
    },
  ],
  FACTS_INVALID: [{ path: 'door.json', problems: ['transport must be espota, web or http'] }],

  FILE_NOT_FOUND: [{ path: 'build/dor.ino.bin', what: 'image' }],
  FILE_UNREADABLE: [
    { path: 'build/door.ino.bin', reason: 'EACCES' },
    { path: 'build', reason: 'EISDIR' },
  ],
  FILE_UNWRITABLE: [
    { path: 'build/door.ino.bin.signed', reason: 'ENOSPC' },
    { path: 'build/door.ino.bin.signed', reason: 'EISDIR' },
    { path: 'build/door.ino.bin.signed', reason: 'EROFS' },
  ],
  FILE_UNREMOVABLE: [
    { paths: ['build/door.ino.bin.signed'], reason: 'EACCES' },
    { paths: ['build/door.ino.bin.signed', 'build/door.ino.bin.gz.signed'], reason: 'EPERM' },
  ],
  FOLDER_MISSING: [{ path: 'out/door.bin.signed' }],
  FILE_EXISTS: [{ path: 'private.key', what: 'private key' }],

  DESTINATION_AMBIGUOUS: [{ place: 'github' }],
  DESTINATION_MISSING: [{ what: 'destination' }, { what: 'server' }],
  SERVER_URL_INVALID: [{ problem: 'it contains a user name or a password' }],
  TOKEN_INVALID: [{ source: 'OTA_TOKEN' }],
  LOGIN_NOT_CHOSEN: [
    {
      origin: 'https://ota.example.com',
      howToAllow:
        'add to /home/ada/.config/ota-hooks/config.json: {"projects":{"/home/ada/door":{"publishTo":["https://ota.example.com"]}}}',
    },
  ],
  TOKEN_UNBOUND: [
    { variable: 'OTA_TOKEN', origin: 'https://ota.example.com', boundTo: undefined },
    { variable: 'OTA_TOKEN', origin: 'https://ota.example.com', boundTo: 'https://ota.example.org' },
  ],
  SERVER_REQUIRED: [
    {
      option: '--reference',
      reason: 'a folder cannot recognize devices',
      hint: 'Pass the URL of an update server with --to.',
    },
  ],
  MANIFEST_MISSING: [{ path: 'build/door.ino.bin' }],
  PRIVATE_KEY_INSIDE: [{ path: 'build/littlefs.bin' }],
  NAME_MISMATCH: [{ path: 'build/door.ino.bin.ota.json', what: 'version', packed: '1.0', wanted: '1.1' }],
  RELEASES_CLASH: [
    {
      reason: 'they belong to different versions or projects',
      builds: '1.0 (sketch), 1.1 (filesystem)',
      hint: 'Pass the path of a single build, or delete the leftover builds.',
    },
  ],
  PUBLISH_DECLINED: [{ project: 'door', version: '1.0' }],
  VERSION_TAKEN: [{ project: 'door', version: '1.0', what: 'sketch, d1_mini', where: 'http://192.168.1.5:8266' }],

  INVENTORY_EMPTY: [{}],
  GROUP_EMPTY: [
    { group: 'hal', groups: ['hall', 'garden'] },
    { group: 'hal', groups: [] },
  ],
  UPDATE_PATH_INVALID: [{ path: 'update me' }],
  SIGNED_FILE_STALE: [
    { path: 'build/door.ino.bin.signed', image: 'build/door.ino.bin', reason: 'its content is not the current image' },
  ],
  UPLOAD_LISTEN_FAILED: [
    { address: '192.168.1.5', reason: 'EADDRNOTAVAIL' },
    { address: '192.168.1.5:8266', reason: 'EADDRINUSE' },
  ],

  CORE_UNKNOWN: [{ core: '1.6.5', nearest: '3.1.2' }],

  SERVER_UNREACHABLE: [{ url: 'http://192.168.1.5:8266/', reason: 'ECONNREFUSED' }],
  PROXY_UNUSABLE: [
    { proxy: 'http://proxy.example.com:3128', reason: 'it responded with status 407' },
    { proxy: 'the proxy in the environment', reason: 'it is not a URL' },
  ],
  SERVER_NOT_TRUSTED: [
    {
      url: 'https://192.168.1.5:8443',
      reason: 'its certificate authority is unknown (UNABLE_TO_VERIFY_LEAF_SIGNATURE)',
    },
    {
      url: 'https://ota.local:8443',
      reason: 'its certificate is for a different host name (ERR_TLS_CERT_ALTNAME_INVALID)',
    },
    { url: 'https://ota.example.com', reason: 'its certificate has expired (CERT_HAS_EXPIRED)' },
  ],
  TLS_FILE_UNUSABLE: [
    { path: 'privkey.pem', reason: 'it is encrypted' },
    { path: 'fullchain.pem', reason: 'it contains no certificate in PEM format' },
  ],
  SERVER_REDIRECTS: [{ url: 'http://ota.example.com/', location: 'https://ota.example.com/' }],
  SERVER_NOT_OURS: [{ url: 'http://192.168.1.1/', status: 404 }],
  SERVER_REJECTED: [
    {
      url: 'http://192.168.1.5:8266/api/v1/tokens',
      status: 403,
      code: 'role-missing',
      message: 'the role admin is required',
      hint: 'The server sends the hint; see its responses below.',
    },
  ],

  SQLITE_MISSING: [
    { node: '20.19.0', isInstalled: false, platform: 'linux-x64' },
    { node: '20.19.0', isInstalled: true, platform: 'aix-ppc64' },
  ],
  STORAGE_URL_UNKNOWN: [
    { what: 'store', scheme: 'mysql', known: ['sqlite'] },
    { what: 'blobs', scheme: undefined, known: ['file', 's3'] },
  ],
  S3_SETTING_INVALID: [{ name: 'AWS_ENDPOINT_URL', expected: 'a URL such as https://s3.example.com' }],
  S3_CREDENTIALS_MISSING: [{ name: 'AWS_SECRET_ACCESS_KEY' }],
  S3_UNREACHABLE: [{ bucket: 'firmware', host: 's3.example.com', reason: 'ECONNREFUSED' }],
  S3_BUCKET_MISSING: [{ bucket: 'firmware', host: 's3.example.com' }],
  S3_REJECTED: [
    { bucket: 'firmware', host: 's3.example.com', status: 403, reason: 'SignatureDoesNotMatch' },
    { bucket: 'firmware', host: 's3.example.com', status: 301, reason: 'PermanentRedirect' },
  ],
  S3_OVERWRITES: [{ bucket: 'firmware', host: 's3.example.com' }],
  SERVER_CLOCK_WRONG: [{ seconds: 600 }, { seconds: -600 }],
  SERVER_DATA_IN_USE: [{ path: 'data/ota.db', holder: 'process 4711' }],
  SERVER_DATA_NEWER: [{ path: 'data/ota.db', found: '0004-device-labels', oldest: '0.3.0', program: '0.1.0' }],
  SERVER_TABLES_UNFIT: [{ path: 'data/ota.db', reason: 'it lacks the column devices.labels' }],
  SERVER_DATABASE_FOREIGN: [{ path: 'data/ota.db', table: 'customers' }],
  POSTGRES_MISSING: [{}],
  MQTT_MISSING: [{}],
  MQTT_URL_INVALID: [{ reason: 'it must begin with mqtt:// or mqtts://' }],
  DATABASE_URL_INVALID: [{ reason: 'it names no database' }],
  SERVER_DATA_UNAVAILABLE: [{ reason: 'the S3 store cannot be reached: ECONNREFUSED' }],
  DATABASE_UNREACHABLE: [{ location: 'postgres://ota@db/ota', reason: 'ECONNREFUSED' }],
  DATABASE_LOGIN_REJECTED: [
    { location: 'postgres://ota@db/ota', reason: 'password authentication failed for user "ota"' },
    { location: 'postgres://ota@db/ota', reason: 'no password was given' },
  ],
  DATABASE_MISSING: [{ location: 'postgres://ota@db/ota' }],
  DATABASE_READ_ONLY: [{ location: 'postgres://ota@db/ota' }],
  DATABASE_TOO_OLD: [{ location: 'postgres://ota@db/ota', version: 13, oldest: 15 }],
  DATABASE_REJECTED: [{ location: 'postgres://ota@db/ota', reason: 'permission denied for schema public' }],
  SERVER_DATA_UNREADABLE: [{ path: 'data/ota.db', reason: 'SQLITE_NOTADB' }],
  SERVER_DATABASE_LOST: [{ path: 'data' }],
  SERVER_DATABASE_OLDER: [
    { path: 'data', reason: 'journal' },
    { path: 'data', reason: 'unsealed' },
    { path: 'data', reason: 'older' },
    { path: 'data', reason: 'other' },
  ],
  SERVER_DATA_DAMAGED: [
    { path: 'data', problems: 2, isRepaired: false },
    { path: 'data', problems: 1, isRepaired: true },
  ],
  SERVER_DATA_NOT_EMPTY: [{ path: 'restored' }],
  SERVER_STORES_DIFFER: [{ reason: 'older' }, { reason: 'lost' }, { reason: 'other' }, { reason: 'unsealed' }],
  COPY_SOURCE_RUNNING: [{ path: 'data', holder: 'process 4711' }],
  COPY_TARGET_USED: [{ reason: 'records' }, { reason: 'blobs' }, { reason: 'changed', what: 'table devices' }],
  SERVER_LISTEN_FAILED: [{ address: '0.0.0.0:80', reason: 'EACCES' }],
  TLS_KEY_MISMATCH: [{ cert: 'fullchain.pem', key: 'privkey.pem' }],
  TLS_AUTHORITY_KEY_LOST: [{ path: 'data/tls/ca.key' }],
  BACKUP_INVALID: [{ path: 'backup.ndjson', reason: 'the end marker is missing or does not match' }],
  BACKUP_INCOMPLETE: [
    { path: 'backup.ndjson', sha256: '5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef', count: 3 },
  ],
} as const satisfies { readonly [Code in ErrorCode]: readonly [FieldsOf<Code>, ...FieldsOf<Code>[]] };

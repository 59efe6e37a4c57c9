import type { ErrorCode, FieldsOf } from '../src/errors/ota-error.ts';

const someKey = '4f1c7e0a9d2b8c35';

/** The facts of a case for each error, as a user could meet them; a code without one is a compile error. Each gives a line on the page. */
export const errorExamples = {
  USAGE: [{ message: '--canary 0 is not a number of devices' }],
  OPTION_INVALID: [{ option: '--limit', value: '0', expected: 'must be a positive integer' }],

  CONFIG_NOT_FOUND: [{ path: 'ota.config.jsn' }],
  CONFIG_UNREADABLE: [{ path: 'ota.config.json', reason: "line 3: expected ',' or '}'" }],
  CONFIG_INVALID: [{ path: 'ota.config.json', problems: ['color is not a known key', 'legacy must be true or false'] }],
  SECRET_MISSING: [{ variable: 'KEY_PASSPHRASE', purpose: 'the passphrase of the private key' }],

  FILE_NOT_FOUND: [{ path: 'build/dor.ino.bin', what: 'image' }],
  FILE_UNREADABLE: [{ path: 'build/door.ino.bin', reason: 'EACCES' }],
  FILE_UNWRITABLE: [
    { path: 'build/door.ino.bin.signed', reason: 'ENOSPC' },
    { path: 'build/door.ino.bin.signed', reason: 'EISDIR' },
    { path: 'build/door.ino.bin.signed', reason: 'EROFS' },
  ],
  FOLDER_MISSING: [{ path: 'out/door.bin.signed' }],
  FILE_EXISTS: [{ path: 'private.key', what: 'private key' }],

  KEY_NOT_FOUND: [{ path: 'public.key', kind: 'public' }],
  KEY_EMPTY: [{ path: 'private.key' }],
  KEY_GARBLED: [{ path: 'private.key', kind: 'private' }],
  KEY_ENCRYPTED: [{ path: 'private.key' }],
  KEY_PASSPHRASE_WRONG: [{ path: 'private.key' }],
  KEY_IS_PRIVATE: [{ path: 'public.key' }],
  KEY_IS_PUBLIC: [{ path: 'private.key' }],
  KEY_WRONG_TYPE: [{ path: 'private.key', type: 'ec' }],
  KEY_WRONG_SIZE: [{ path: 'private.key', bits: 512 }],
  KEYS_DONT_MATCH: [{ privateKey: 'private.key', publicKey: 'public.key' }],
  KEY_MISSING_FOR: [{ command: 'verify', wanted: '--public-key FILE' }],
  SIGNATURE_UNVERIFIED: [{ path: 'door.ino.bin' }],

  IMAGE_EMPTY: [{ path: 'build/door.ino.bin' }],
  IMAGE_NOT_FIRMWARE: [{ path: 'README.md', reason: 'its content is unknown' }],
  IMAGES_NONE: [{ patterns: ['build/**/*.ino.bin'], folder: 'door' }],
  ENFORCEMENT_KEY_MISSING: [{ path: 'build/door.ino.bin', fingerprint: someKey, others: [] }],
  ENFORCEMENT_VERIFIER_MISSING: [{ path: 'build/door.ino.bin', elf: 'build/door.ino.elf' }],

  MANIFEST_INVALID: [{ path: 'build/door.ino.bin.ota.json', reason: 'not JSON (Unexpected end of JSON input)' }],
  ARTIFACT_CHANGED: [{ path: 'build/door.ino.bin.signed', manifest: 'build/door.ino.bin.ota.json' }],
  NOT_ACCEPTED: [{ path: 'build/door.ino.bin', verdict: 'ERROR[12]: Signature verification failed' }],

  PREFLIGHT_REFUSED: [
    {
      path: 'build/door.ino.bin.gz',
      blockedBy: [
        {
          rule: 'gz-old-device',
          message: 'the device runs core 2.6.3, which cannot inflate',
          fix: 'send the raw artifact',
        },
      ],
    },
  ],
  FACTS_INVALID: [{ path: 'door.json', problems: ['transport must be espota, web or http'] }],

  PROGRAM_MISSING: [{ program: 'arduino-cli', howToGet: 'Install arduino-cli 1.x, or use PlatformIO.' }],
  PROGRAM_FAILED: [{ command: 'arduino-cli compile door', outcome: 'failed with exit code 1' }],
  PROJECT_NOT_FOUND: [{ folder: '/home/ada' }],
  CORE_NOT_FOUND: [{ folder: '/home/ada/.arduino15' }],

  DOCTOR_FOUND: [
    { errors: 2, fixable: 1 },
    { errors: 1, fixable: 0 },
  ],

  SQLITE_MISSING: [{ node: '20.19.0', isInstalled: false, platform: 'linux-x64' }],
  STORAGE_URL_UNKNOWN: [
    { what: 'store', scheme: 'mysql', known: ['sqlite'] },
    { what: 'blobs', scheme: undefined, known: ['file'] },
  ],
  SERVER_DATA_IN_USE: [{ path: 'data/ota.db', holder: 'process 4711' }],
  SERVER_DATA_NEWER: [{ path: 'data/ota.db', found: 3, known: 2 }],
  SERVER_DATA_UNREADABLE: [{ path: 'data/ota.db', reason: 'SQLITE_NOTADB' }],
  SERVER_DATA_NOT_EMPTY: [{ path: 'restored' }],
  SERVER_LISTEN_FAILED: [{ address: '0.0.0.0:80', reason: 'EACCES' }],
  TLS_FILE_UNUSABLE: [
    { path: 'privkey.pem', reason: 'it is encrypted, and a server cannot ask' },
    { path: 'fullchain.pem', reason: 'it holds no certificate in PEM form' },
  ],
  TLS_KEY_MISMATCH: [{ cert: 'fullchain.pem', key: 'privkey.pem' }],
  TLS_AUTHORITY_KEY_LOST: [{ path: 'data/tls/ca.key' }],
  BACKUP_INVALID: [{ path: 'backup.ndjson', reason: 'it is incomplete' }],
  SERVER_UNREACHABLE: [{ url: 'http://192.168.1.5:8266/', reason: 'ECONNREFUSED' }],
  SERVER_NOT_TRUSTED: [
    {
      url: 'https://192.168.1.5:8443',
      reason: 'the authority of its certificate is not known (UNABLE_TO_VERIFY_LEAF_SIGNATURE)',
    },
    {
      url: 'https://ota.local:8443',
      reason: 'its certificate is for another name (ERR_TLS_CERT_ALTNAME_INVALID)',
    },
    { url: 'https://ota.example.com', reason: 'its certificate has expired (CERT_HAS_EXPIRED)' },
  ],
  SERVER_REFUSED: [
    {
      url: 'http://192.168.1.5:8266/api/v1/tokens',
      status: 403,
      code: 'role-missing',
      message: 'this takes the role admin',
      hint: 'The hint is that of the server, by its code: see below.',
    },
  ],

  MANIFEST_MISSING: [{ path: 'build/door.ino.bin' }],
  NOT_SIGNED_YET: [{ path: 'build/door.ino.bin.ota.json' }],
  PRIVATE_KEY_INSIDE: [{ path: 'build/littlefs.bin' }],
  RELEASES_CLASH: [{ reason: 'The builds are of several versions', builds: '1.0 (sketch), 1.1 (filesystem)' }],
  VERSION_TAKEN: [{ project: 'door', version: '1.0', what: 'sketch, d1_mini', where: 'http://192.168.1.5:8266' }],
  PUBLISH_AFTER_BUILD_FAILED: [{ exitCode: 1 }],
  TOKEN_UNBOUND: [{ variable: 'OTA_TOKEN', origin: 'https://ota.example.com', boundTo: undefined }],
  SERVER_REDIRECTS: [{ url: 'http://ota.example.com/', location: 'https://ota.example.com/' }],
  SERVER_NOT_OURS: [{ url: 'http://192.168.1.1/', status: 404 }],

  UPLOAD_FAILED: [
    { share: '1 of 3', devices: 'kitchen: no answer', hint: 'The hint follows from what the devices said.' },
  ],
  PASSWORD_UNASKED: [{ devices: 'kitchen' }],
  DISCOVERY_UNAVAILABLE: [{ reason: 'it is in no network' }],
  DEVICE_NOT_ADDED: [
    {
      name: 'kitchen',
      reason: 'the configuration has a device of that name',
      hint: 'The hint follows from the reason.',
    },
  ],
} as const satisfies { readonly [Code in ErrorCode]: readonly [FieldsOf<Code>, ...FieldsOf<Code>[]] };

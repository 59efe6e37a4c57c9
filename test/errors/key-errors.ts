import { generateKeyPairSync } from 'node:crypto';
import { utimes } from 'node:fs/promises';
import type { ExecutionContext } from 'ava';
import { readPublicKey } from '../../src/core/keys/public-key.ts';
import { startTestServer } from '../server/running-server.ts';
import { door } from '../support/built-sketch.ts';
import { rsaPems, wrongKinds } from '../support/key-pairs.ts';
import { runCommand } from '../support/run-command.ts';
import { testFolder } from '../support/test-folder.ts';
import { inFolder, type Provocation } from './provocation.ts';

const other = rsaPems(1024);
const spare = rsaPems(1024);
const weak = rsaPems(512);
const encrypted = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
  cipher: 'aes-256-cbc',
  passphrase: 'open sesame',
});

const doorFingerprint = readPublicKey(door.publicPem, 'public.key').fingerprint;

const recorded = JSON.stringify({
  keys: [{ name: 'main', publicKey: 'public.key', fingerprint: 'ab'.repeat(32), role: 'signing' }],
});

function sign(privatePem: string | Buffer, options = '', env: Readonly<Record<string, string>> = {}) {
  const files = { 'private.key': privatePem, 'door.bin': door.bin };
  return inFolder(`sign --private-key private.key --bin door.bin${options}`, files, env);
}

function header(publicPem: string) {
  return inFolder('header --public-key public.key --out out/Updater_Signing.h', { 'public.key': publicPem });
}

/** Runs a command in a project that has released 1.0 with the key main, and has then activated the key vault. */
function ofDevices(command: string): Provocation {
  return async (t) => {
    const server = await startTestServer(t);
    const pems = { main: door.publicPem, vault: other.publicPem, spare: spare.publicPem };
    const keys = Object.entries(pems).map(([name, pem]) => ({
      name,
      publicKey: `${name}.key`,
      fingerprint: readPublicKey(pem, name).fingerprint,
      role: name === 'main' ? 'signing' : 'backup',
    }));
    const { path: cwd } = await testFolder(t, {
      ...Object.fromEntries(Object.entries(pems).map(([name, pem]) => [`${name}.key`, pem])),
      'private.key': door.privatePem,
      'door.bin': door.bin,
      'door.elf': door.elf,
      'ota.config.json': JSON.stringify({ project: 'door', keys }),
    });
    const env = { OTA_SERVER: server.url, OTA_TOKEN: server.token, OTA_TOKEN_ORIGIN: server.url };
    const run = (words: string) => runCommand(words.split(' '), { cwd, env });
    for (const step of ['pack door.bin --firmware-version 1.0', 'publish door.bin --yes', 'keys activate vault']) {
      t.is((await run(step)).exitCode, 0, step);
    }
    return runCommand(command.split(' '), { cwd });
  };
}

/** Provokes each error about keys. */
export const keyErrors = {
  SECRET_MISSING: sign(encrypted, ' --passphrase-env UNSET'),
  SECRET_UNTRUSTED: inFolder('pack door.bin', {
    'private.key': door.privatePem,
    'door.bin': door.bin,
    'ota.config.json': '{"version": {"env": "GITHUB_TOKEN"}}',
  }),
  SECRET_RESERVED: inFolder('espota -i 127.0.0.1 -f door.bin --password-env OTA_TOKEN', { 'door.bin': door.bin }),
  KEY_IN_ENVIRONMENT: inFolder('keygen', { 'ota.config.json': '{"privateKey": {"env": "DOOR_KEY"}}' }),
  KEY_NOT_FOUND: inFolder('header --public-key gone.key --out Updater_Signing.h'),
  KEY_NOT_RECORDED: inFolder('header --out out/Updater_Signing.h', { 'ota.config.json': recorded }),
  KEYS_RECORDED: inFolder('keygen', { 'ota.config.json': recorded }),
  KEY_NAME_UNKNOWN: inFolder('keys activate vault', { 'ota.config.json': recorded }),
  KEY_NAME_TAKEN: inFolder('keys new main --private-key vault.key', { 'ota.config.json': recorded }),
  KEY_ROLE: inFolder('keys retire main', { 'ota.config.json': recorded }),
  HOP_MISSING: ofDevices('keys activate spare'),
  KEY_IN_USE: ofDevices('keys retire main'),
  KEYS_NO_CONFIG: inFolder('keys add vault --public-key public.key', { 'public.key': door.publicPem }),
  KEYS_NOT_WRITTEN: inFolder('keys add vault --public-key vault.key', {
    'vault.key': other.publicPem,
    'ota.config.yaml': 'project: door # with a comment\n',
  }),
  HOP_KEY: inFolder('pack door.bin --hop main', {
    'public.key': door.publicPem,
    'door.bin': door.bin,
    'ota.config.json': JSON.stringify({
      keys: [{ name: 'main', publicKey: 'public.key', fingerprint: doorFingerprint, role: 'signing' }],
    }),
  }),
  SIGNING_REQUIRED: inFolder('pack door.bin --require-signed', { 'public.key': door.publicPem, 'door.bin': door.bin }),
  VERSION_PLACEHOLDER: inFolder('pack door.bin --firmware-version undefined', { 'door.bin': door.bin }),
  KEY_EMPTY: sign(''),
  KEY_GARBLED: sign('garbage'),
  KEY_FORM_UNSUPPORTED: header('ssh-rsa AAAAB3NzaC1yc2E= ada@desk'),
  KEY_ENCRYPTED: sign(encrypted),
  KEY_PASSPHRASE_WRONG: sign(encrypted, ' --passphrase-env PASSPHRASE', { PASSPHRASE: 'open barley' }),
  PASSPHRASE_UNUSABLE: inFolder('keygen --encrypt --passphrase-env PASSPHRASE', {}, { PASSPHRASE: 'short' }),
  SIGNER_UNKNOWN: inFolder('sign --signer hsm --bin door.bin', { 'door.bin': door.bin }),
  SIGNER_KEY_MISSING: inFolder('sign --signer-command false --bin door.bin', { 'door.bin': door.bin }),
  SIGNER_NO_LEGACY: inFolder('sign --digest-only --bin door.bin --legacy old.bin', {
    'public.key': door.publicPem,
    'door.bin': door.bin,
  }),
  SIGNER_FAILED: inFolder('sign --signer-command false --bin door.bin', {
    'public.key': door.publicPem,
    'door.bin': door.bin,
  }),
  SIGNING_LOG_BROKEN: inFolder('keys log verify', { 'log.jsonl': '{}\n' }, { OTA_SIGNING_LOG: 'log.jsonl' }),
  FILE_LOCKED: async (t: ExecutionContext) => {
    const files = {
      'private.key': door.privatePem,
      'door.bin': door.bin,
      'log.jsonl.lock': '',
      'log.jsonl.lock.removal': '',
    };
    const { path, at } = await testFolder(t, files);
    for (const lock of ['log.jsonl.lock', 'log.jsonl.lock.removal']) await utimes(at(lock), 0, 0);
    const argv = ['sign', '--private-key', 'private.key', '--bin', 'door.bin'];
    return runCommand(argv, { cwd: path, env: { OTA_SIGNING_LOG: 'log.jsonl' } });
  },
  SIGNING_LOG_REWRITTEN: inFolder(`keys log verify --head 1:${'ab'.repeat(32)}`, {}, { OTA_SIGNING_LOG: 'log.jsonl' }),
  SIGNATURE_REJECTED: inFolder('sign --signature door.signature --bin door.bin', {
    'public.key': door.publicPem,
    'door.bin': door.bin,
    'door.signature': 'no signature',
  }),
  KEY_IS_PRIVATE: header(door.privatePem),
  KEY_IS_PUBLIC: sign(door.publicPem),
  KEY_WRONG_TYPE: sign(wrongKinds().EC.privatePem),
  KEY_WRONG_SIZE: header(weak.publicPem),
  GUARD_KEYS: inFolder('header --out out/Updater_Signing.h', {
    'public.key': rsaPems(1032).publicPem,
    'ota.config.json': '{"guard": {"product": "door"}}',
  }),
  GUARD_WITHOUT_KEY: inFolder('header --out out/Updater_Signing.h', {
    'ota.config.json': '{"guard": {"product": "door"}}',
  }),
  GUARD_REPLACED: inFolder('header --out out/Updater_Signing.h', {
    'public.key': door.publicPem,
    'ota.config.json': '{"guard": {"product": "door"}}',
    'src/main.cpp': '\nvoid setup() { Update.installSignature(&hash, &verifier); }\n',
  }),
  KEYS_DONT_MATCH: inFolder('pack door.bin', {
    'private.key': other.privatePem,
    'public.key': door.publicPem,
    'door.bin': door.bin,
  }),
  KEY_MISSING_FOR: inFolder('verify door.bin', { 'door.bin': door.bin }),
  FILE_EXISTS: inFolder('keygen --bits 1024', { 'private.key': door.privatePem }),
};

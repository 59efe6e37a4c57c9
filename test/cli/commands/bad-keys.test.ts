/** Tests every command that reads a key with every kind of invalid key. Expects a one-line error, a hint, exit code 1 and no leftover files. */
import { createPrivateKey } from 'node:crypto';
import test from 'ava';
import type { ErrorCode } from '../../../src/errors/ota-error.ts';
import { door } from '../../support/built-sketch.ts';
import { rsaPems, wrongKinds } from '../../support/key-pairs.ts';
import { runCommand } from '../../support/run-command.ts';
import { testFolder } from '../../support/test-folder.ts';

interface BadKey {
  readonly pem: string;
  readonly code: ErrorCode;
}

const kinds = wrongKinds();
const small = rsaPems(512);
const encrypted = createPrivateKey(door.privatePem)
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open sesame' })
  .toString();

const anyBadKey: Readonly<Record<string, BadKey>> = {
  'an empty file': { pem: '', code: 'KEY_EMPTY' },
  'random text': { pem: 'hunter2', code: 'KEY_GARBLED' },
};

const badPrivateKeys: Readonly<Record<string, BadKey>> = {
  ...anyBadKey,
  'a public key': { pem: door.publicPem, code: 'KEY_IS_PUBLIC' },
  'an encrypted key': { pem: encrypted, code: 'KEY_ENCRYPTED' },
  'a truncated key': { pem: door.privatePem.slice(0, 600), code: 'KEY_GARBLED' },
  'a 512-bit key': { pem: small.privatePem, code: 'KEY_WRONG_SIZE' },
  ...Object.fromEntries(
    Object.entries(kinds).map(([kind, pair]) => [
      `a key of type ${kind}`,
      { pem: pair.privatePem, code: 'KEY_WRONG_TYPE' } as const,
    ]),
  ),
};

const badPublicKeys: Readonly<Record<string, BadKey>> = {
  ...anyBadKey,
  'a private key': { pem: door.privatePem, code: 'KEY_IS_PRIVATE' },
  'an encrypted private key': { pem: encrypted, code: 'KEY_IS_PRIVATE' },
  'a truncated key': { pem: door.publicPem.slice(0, 200), code: 'KEY_GARBLED' },
  'a 512-bit key': { pem: small.publicPem, code: 'KEY_WRONG_SIZE' },
  ...Object.fromEntries(
    Object.entries(kinds).map(([kind, pair]) => [
      `a key of type ${kind}`,
      { pem: pair.publicPem, code: 'KEY_WRONG_TYPE' } as const,
    ]),
  ),
};

const usesOfAPrivateKey: readonly (readonly string[])[] = [
  ['sign', '--private-key', 'bad.key', '--bin', 'door.bin'],
  ['pack', 'door.bin', '--private-key', 'bad.key'],
  ['header', '--private-key', 'bad.key', '--out', 'Updater_Signing.h'],
  ['signing', '--mode', 'sign', '--privatekey', 'bad.key', '--bin', 'door.bin', '--out', 'door.bin.signed'],
];

const usesOfAPublicKey: readonly (readonly string[])[] = [
  ['header', '--public-key', 'bad.key', '--out', 'Updater_Signing.h'],
  ['pack', 'door.bin', '--public-key', 'bad.key'],
  ['pack', 'door.bin', '--public-key', 'bad.key', '--unsigned'],
  ['verify', 'door.bin', '--public-key', 'bad.key'],
  ['inspect', 'door.bin', '--public-key', 'bad.key'],
  ['signing', '--mode', 'header', '--publickey', 'bad.key', '--out', 'Updater_Signing.h'],
];

for (const [kind, badKeys, uses] of [
  ['private', badPrivateKeys, usesOfAPrivateKey],
  ['public', badPublicKeys, usesOfAPublicKey],
] as const) {
  for (const [what, { pem, code }] of Object.entries(badKeys)) {
    test(`every command rejects ${what} as the ${kind} key`, async (t) => {
      for (const argv of uses) {
        const folder = await testFolder(t, { 'bad.key': pem, 'door.bin': door.bin });
        const isWritten = (name: string) => argv.some((word, at) => word === name && argv[at - 1] === '--out');
        for (const name of ['Updater_Signing.h', 'door.bin.signed'])
          if (isWritten(name)) await folder.write(name, 'stale');
        const { exitCode, stdout, error } = await runCommand(argv, { cwd: folder.path });
        t.is(error?.code, code, argv.join(' '));
        t.is(exitCode, 1, argv.join(' '));
        t.is(stdout, '');
        t.true(error?.message.includes('bad.key'), error?.message);
        t.notRegex(`${error?.message}${error?.hint}`, /\n|hunter2|open sesame|-----BEGIN [A-Z ]+-----/);
        t.deepEqual(await folder.list(), ['bad.key', 'door.bin'], argv.join(' '));
      }
    });
  }
}

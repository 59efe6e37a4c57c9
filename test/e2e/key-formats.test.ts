/**
 * Keys from other programs: certificates are read, and the error for each unsupported format contains a command that converts the key. The
 * tests run these commands.
 */
import { chmod, readFile } from 'node:fs/promises';
import test from 'ava';
import { execa } from 'execa';
import { readPrivateKey } from '../../src/core/keys/private-key.ts';
import { readPublicKey } from '../../src/core/keys/public-key.ts';
import { OtaError } from '../../src/errors/ota-error.ts';
import { rsaPems } from '../support/key-pairs.ts';
import { type TestFolder, testFolder } from '../support/test-folder.ts';

const { privatePem, publicPem } = rsaPems(2048);
const { fingerprint } = readPublicKey(publicPem, 'public.key');

const shell = (folder: TestFolder, command: string) =>
  execa('bash', ['-e', '-o', 'pipefail', '-c', command], { cwd: folder.path, stdin: 'ignore' });

/** Commands that make a key of a foreign format, `my.key`, from the PEM keys in the folder. */
const foreign: readonly { what: string; make: string; kinds: readonly ('private' | 'public')[] }[] = [
  {
    what: 'an OpenSSH private key',
    make: 'cp private.key my.key && chmod 600 my.key && ssh-keygen -q -p -N "" -f my.key',
    kinds: ['private', 'public'],
  },
  {
    what: 'an OpenSSH public key',
    make: 'ssh-keygen -i -m PKCS8 -f public.key > my.key',
    kinds: ['public'],
  },
  {
    what: 'a public key in the format of RFC 4716',
    make: 'ssh-keygen -i -m PKCS8 -f public.key > open.pub && ssh-keygen -e -m RFC4716 -f open.pub > my.key',
    kinds: ['public'],
  },
  {
    what: 'a PuTTY private key',
    make: 'openssl rsa -in private.key -traditional -out pkcs1.key 2>&1 && puttygen pkcs1.key -O private -o my.key',
    kinds: ['private', 'public'],
  },
  {
    what: 'a PKCS#12 file',
    make: 'openssl req -x509 -new -key private.key -subj /CN=door -out door.crt && openssl pkcs12 -export -inkey private.key -in door.crt -passout pass: -out my.key',
    kinds: ['private', 'public'],
  },
];

for (const { what, make, kinds } of foreign) {
  for (const kind of kinds) {
    test(`the hint for ${what} converts it to a ${kind} key`, async (t) => {
      const folder = await testFolder(t, { 'private.key': privatePem, 'public.key': publicPem });
      await chmod(folder.at('private.key'), 0o600);
      await shell(folder, make);
      const key = await folder.read('my.key');
      const read = kind === 'private' ? readPrivateKey : readPublicKey;
      const error = t.throws(() => read(key, 'my.key'), { instanceOf: OtaError });
      t.is(error?.code, 'KEY_FORM_UNSUPPORTED');
      t.true(error?.message.includes(what), error?.message);
      const [, command = ''] = /^Convert it, and use \S+: (.*)$/.exec(error?.hint ?? '') ?? [];
      // Tests have no terminal for the passphrase, which is empty.
      await shell(folder, command.replace('openssl pkcs12', 'openssl pkcs12 -passin pass:'));
      const converted = await readFile(folder.at(`${kind}.pem`));
      const own = kind === 'private' ? readPrivateKey(converted, '').publicKey : readPublicKey(converted, '');
      t.is(own.fingerprint, fingerprint);
    });
  }
}

test('readPublicKey reads certificates in PEM and DER', async (t) => {
  const folder = await testFolder(t, { 'private.key': privatePem });
  await shell(folder, 'openssl req -x509 -new -key private.key -subj /CN=door -out door.crt');
  await shell(folder, 'openssl x509 -in door.crt -outform DER -out door.der');
  for (const name of ['door.crt', 'door.der']) {
    t.is(readPublicKey(await readFile(folder.at(name)), name).fingerprint, fingerprint, name);
  }
});

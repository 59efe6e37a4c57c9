/** Signs with a PKCS#11 token, an encrypted key and detached signatures, and compares all of them with `openssl dgst -sign`. */
import { mkdir, readdir, readFile } from 'node:fs/promises';
import test from 'ava';
import { execa } from 'execa';
import { door } from '../../support/built-sketch.ts';
import { runCli } from '../../support/run-cli.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';
import { emptySoftHsm, makeSoftToken, pin, type SoftToken } from './soft-token.ts';

const passphrase = 'correct horse battery';

const place = (t: Parameters<typeof testFolder>[0]) =>
  testFolder(t, {
    'vault/door.pem': door.privatePem,
    'project/public.key': door.publicPem,
    'project/sketch.bin': door.bin,
    'project/sketch.elf': door.elf,
  });

type Env = Readonly<Record<string, string>>;

async function run(folder: TestFolder, argv: readonly string[], env: Env = {}) {
  return runCli(argv, folder.at('project'), { HOME: folder.at('home'), XDG_CONFIG_HOME: '', ...env });
}

/** Signs the payload of each signed file with OpenSSL and returns the names of the files whose signature is the same. */
async function equalToOpenssl(folder: TestFolder): Promise<string[]> {
  const names = (await readdir(folder.at('project'))).filter((name) => name.endsWith('.signed')).sort();
  const equal: string[] = [];
  for (const name of names) {
    const bytes = await readFile(folder.at(`project/${name}`));
    const { stdout } = await execa('openssl', ['dgst', '-sha256', '-sign', folder.at('vault/door.pem')], {
      input: bytes.subarray(0, -260),
      encoding: 'buffer',
      stripFinalNewline: false,
    });
    if (bytes.subarray(-260, -4).equals(Buffer.from(stdout))) equal.push(name);
  }
  return equal;
}

const both = ['sketch.bin.gz.signed', 'sketch.bin.signed'];

function commandEnv(token: SoftToken, words: readonly string[], input: string): Env {
  return { ...token.env, OTA_SIGNER_COMMAND: JSON.stringify(words), OTA_SIGNER_INPUT: input };
}

test('a build signed with a PKCS#11 token equals one signed by openssl dgst -sign', async (t) => {
  const folder = await place(t);
  const token = await makeSoftToken(folder.at('hsm'), folder.at('vault/door.pem'));
  for (const [mechanism, input] of [
    ['RSA-PKCS', 'digest-info'],
    ['SHA256-RSA-PKCS', 'payload'],
  ] as const) {
    const env = commandEnv(token, token.sign(mechanism), input);
    const { exitCode, stdout, stderr } = await run(folder, ['pack', 'sketch.bin', '--verbose'], env);
    t.is(exitCode, 0, stderr);
    t.deepEqual(await equalToOpenssl(folder), both, mechanism);
    t.false(`${stdout}${stderr}${await folder.text('project/sketch.bin.ota.json')}`.includes(pin));
  }
  const legacy = ['sign', '--bin', 'sketch.bin', '--out', 'new', '--legacy', 'old'];
  t.is((await run(folder, legacy, commandEnv(token, token.sign('RSA-PKCS'), 'digest-info'))).exitCode, 0);
  const expected = await run(folder, [...legacy, '--private-key', folder.at('vault/door.pem'), '--legacy', 'by-file']);
  t.is(expected.exitCode, 0, expected.stderr);
  t.deepEqual(await folder.read('project/old'), await folder.read('project/by-file'));
});

test('a build signed with an encrypted key equals one signed by openssl dgst -sign', async (t) => {
  const folder = await place(t);
  await mkdir(folder.at('new'));
  const env = { OTA_PASSPHRASE: passphrase };
  const keygen = await runCli(['keygen', '--encrypt', '--passphrase-env', 'OTA_PASSPHRASE'], folder.at('new'), env);
  t.is(keygen.exitCode, 0, keygen.stderr);
  // Replaces the key of the fixture, because the sketch must contain the public key.
  const encrypt = ['pkcs8', '-topk8', '-in', folder.at('vault/door.pem'), '-passout', 'env:OTA_PASSPHRASE'];
  await execa('openssl', [...encrypt, '-out', folder.at('project/private.key')], { env });
  const argv = ['pack', 'sketch.bin', '--passphrase-env', 'OTA_PASSPHRASE', '--verbose'];
  const { exitCode, stdout, stderr } = await run(folder, argv, env);
  t.is(exitCode, 0, stderr);
  t.deepEqual(await equalToOpenssl(folder), both);
  t.false(`${stdout}${stderr}${keygen.stdout}${keygen.stderr}`.includes(passphrase));

  const decrypt = ['rsa', '-in', folder.at('new/private.key'), '-passin', 'env:OTA_PASSPHRASE', '-pubout'];
  t.is(`${(await execa('openssl', decrypt, { env })).stdout}\n`, await folder.text('new/public.key'));
});

test('a build with detached signatures of a token equals one signed by openssl dgst -sign', async (t) => {
  const folder = await place(t);
  const token = await makeSoftToken(folder.at('hsm'), folder.at('vault/door.pem'));
  t.is((await run(folder, ['pack', 'sketch.bin', '--unsigned'])).exitCode, 0);
  const sign = ['sign', '--manifest', 'sketch.bin.ota.json'];
  t.is((await run(folder, [...sign, '--digest-only', '--signer-input', 'digest-info'])).exitCode, 0);
  const [program = '', ...words] = token.sign('RSA-PKCS');
  for (const name of both) {
    const files = ['--input-file', `${name}.digest-info`, '--output-file', `${name}.signature`];
    await execa(program, [...words, ...files], { cwd: folder.at('project'), env: token.env });
  }
  const signed = await run(folder, [...sign, ...both.flatMap((name) => ['--signature', `${name}.signature`])]);
  t.is(signed.exitCode, 0, signed.stderr);
  t.deepEqual(await equalToOpenssl(folder), both);
});

test('the digest for openssl pkeyutl makes the same signature', async (t) => {
  const folder = await place(t);
  const pkeyutl = ['openssl', 'pkeyutl', '-sign', '-inkey', folder.at('vault/door.pem'), '-pkeyopt', 'digest:sha256'];
  const env = { OTA_SIGNER_COMMAND: JSON.stringify(pkeyutl) };
  t.is((await run(folder, ['pack', 'sketch.bin'], env)).exitCode, 0);
  t.deepEqual(await equalToOpenssl(folder), both);
});

test('a removed token, a wrong PIN and a PIN without a terminal are errors, and nothing is written', async (t) => {
  const folder = await place(t);
  const token = await makeSoftToken(folder.at('hsm'), folder.at('vault/door.pem'));
  const before = await readdir(folder.at('project'));
  const fails = async (words: readonly string[], env: Env = {}) => {
    const signer = { ...commandEnv(token, words, 'digest-info'), ...env };
    const { exitCode, stdout, stderr } = await run(folder, ['pack', 'sketch.bin', '--verbose', '--json'], signer);
    t.is(exitCode, 1, stderr);
    t.regex(
      stderr,
      /error\[SIGNER_FAILED\]: The signer in OTA_SIGNER_COMMAND returned no usable signature: pkcs11-tool /,
    );
    t.false(`${stdout}${stderr}`.includes(pin) || `${stdout}${stderr}`.includes('wrong-pin-0815'));
    t.deepEqual(await readdir(folder.at('project')), before);
  };
  await fails(token.sign('RSA-PKCS'), { HSM_PIN: 'wrong-pin-0815' });
  await fails(token.sign('RSA-PKCS', []));
  await token.remove();
  await fails(token.sign('RSA-PKCS'));
});

test('the commands of docs/keys.md work, and their output is the one on the page', async (t) => {
  const page = await readFile(new URL('../../../docs/keys.md', import.meta.url), 'utf8');
  const folder = await testFolder(t, {
    'home/door.passphrase': `${passphrase}\n`,
    'project/door.bin': 'any file that is not empty',
  });
  const cli = new URL('../../../dist/cli.js', import.meta.url).pathname;
  await folder.write('bin/ota-hooks', `#!/bin/sh\nexec '${process.execPath}' '${cli}' "$@"\n`);
  const bash = (command: string) =>
    execa('bash', ['-e', '-c', `chmod +x '${folder.at('bin/ota-hooks')}'; ${command}`], {
      cwd: folder.at('project'),
      all: true,
      env: {
        ...hsm,
        HOME: folder.at('home'),
        XDG_CONFIG_HOME: '',
        HSM_PIN: '4711',
        PATH: `${folder.at('bin')}:${process.env['PATH']}`,
      },
    });
  const hsm = await emptySoftHsm(folder.at('hsm'));
  const sections = page.split(/^## /m);
  const sectionOf = (heading: string) => sections.find((text) => text.startsWith(`${heading}\n`)) ?? '';
  // keygen shows its progress only if it takes long.
  const plain = (text: string) =>
    text
      .replace(/^generating a key.*\n/m, '')
      .trim()
      .replace(/[0-9a-f]{64}/g, 'FINGERPRINT');
  const follow = async (heading: string) => {
    const blocks = [...sectionOf(heading).matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm)];
    let output = '';
    let compared = 0;
    for (const [, language, file, body = ''] of blocks) {
      if (file !== undefined) await folder.write('home/.config/ota-hooks/config.json', body);
      else if (language === 'sh') {
        for (const command of body.trim().split('\n')) output = (await bash(command)).all;
      } else if (language === 'text') {
        t.is(plain(output), plain(body), heading);
        compared += 1;
      }
    }
    return compared;
  };
  t.is(await follow('Encrypted key'), 2);
  await bash('openssl rsa -in private.key -passin file:"$HOME/door.passphrase" -out offline.key');
  t.is(await follow('Detached signatures'), 1);
  await bash('rm private.key public.key');
  t.is(await follow('PKCS#11 token'), 1);
  await bash(
    'openssl dgst -sha256 -verify public.key -signature <(tail -c 260 door.bin.signed | head -c 256) door.bin',
  );
});

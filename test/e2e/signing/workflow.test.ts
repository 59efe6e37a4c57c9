/** Runs the signing job of the workflows with a PKCS#11 token. The job has neither the key nor the sources. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import test from 'ava';
import { execa } from 'execa';
import { door } from '../../support/built-sketch.ts';
import { runCli } from '../../support/run-cli.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';
import { placeCommand, runAction, runJob } from '../templates/workflow-job.ts';
import { makeSoftToken, pin } from './soft-token.ts';

const workflow = 'github-platformio.yml';
const signed = ['release/firmware.bin.gz.signed', 'release/firmware.bin.signed'];

/** Creates the folder of the signing job with the files of the build job. */
async function placeOfSigning(t: Parameters<typeof testFolder>[0], release = 'release') {
  const folder = await testFolder(t, {
    'vault/door.pem': door.privatePem,
    'job/public.key': door.publicPem,
    [`job/${release}/firmware.bin`]: door.bin,
    [`job/${release}/firmware.elf`]: door.elf,
  });
  const pack = ['pack', `${release}/firmware.bin`, '--unsigned', '--public-key', 'public.key'];
  t.is((await runCli(pack, folder.at('job'))).exitCode, 0);
  await placeCommand(folder.at('job'));
  const names = ['firmware.bin', 'firmware.bin.gz', 'firmware.bin.ota.json', 'firmware.elf'];
  const { stdout } = await execa('sha256sum', ['--', ...names], { cwd: folder.at(`job/${release}`) });
  await folder.write(`job/${release}/SHA256SUMS`, `${stdout}\n`);
  const sums = createHash('sha256').update(`${stdout}\n`).digest('hex');
  const token = await makeSoftToken(folder.at('hsm'), folder.at('vault/door.pem'));
  const command = token.sign('RSA-PKCS', ['--pin', 'env:SIGNER_PIN']);
  const env = { ...token.env, OTA_SIGNER_COMMAND: JSON.stringify(command), OTA_SIGNER_INPUT: 'digest-info' };
  return { folder, needs: { sums }, env };
}

const signedIn = async (folder: TestFolder) =>
  (await folder.list()).filter((name) => name.endsWith('.signed')).map((name) => name.replace('job/', ''));

test('the signing job signs with a token, and its files equal those of openssl dgst -sign', async (t) => {
  const { folder, needs, env } = await placeOfSigning(t);
  const job = await runJob('sign', { workflow, folder: folder.at('job'), env: { ...env, SIGNER_PIN: pin }, needs });
  t.is(job.failed, undefined, job.output);
  t.deepEqual(await signedIn(folder), signed);
  for (const name of signed) {
    const bytes = await readFile(folder.at(`job/${name}`));
    const { stdout } = await execa('openssl', ['dgst', '-sha256', '-sign', folder.at('vault/door.pem')], {
      input: bytes.subarray(0, -260),
      encoding: 'buffer',
    });
    t.true(bytes.subarray(-260, -4).equals(Buffer.from(stdout)), name);
  }
  t.false(job.output.includes(pin));
  t.false((await folder.text('job/release/firmware.bin.ota.json')).includes(pin));
});

test('the action signs with a token, and writes nothing with a wrong PIN', async (t) => {
  const { folder, needs, env } = await placeOfSigning(t, 'ota-release');
  const { OTA_SIGNER_COMMAND, OTA_SIGNER_INPUT, ...tokenEnv } = env;
  const sign = (signerPin: string) =>
    runAction('firmware-action', {
      folder: folder.at('job'),
      inputs: {
        ...needs,
        'signer-command': OTA_SIGNER_COMMAND,
        'signer-input': OTA_SIGNER_INPUT,
        'signer-pin': signerPin,
      },
      env: tokenEnv,
      programs: '/usr/bin',
    });
  const wrong = await sign('0000');
  t.is(wrong.failed, 'Sign');
  t.deepEqual(await signedIn(folder), []);
  const action = await sign(pin);
  t.is(action.failed, undefined, action.output);
  t.deepEqual(
    await signedIn(folder),
    signed.map((name) => name.replace('release', 'ota-release')),
  );
  t.false(`${action.output}${action.summary}`.includes(pin));
});

test('the signing job signs with an encrypted key, and hands back the signing log', async (t) => {
  const { folder, needs } = await placeOfSigning(t);
  const secrets = { OTA_PASSPHRASE: 'correct horse battery' };
  const encrypt = ['pkcs8', '-topk8', '-in', folder.at('vault/door.pem'), '-passout', 'env:OTA_PASSPHRASE'];
  const { stdout: privateKey } = await execa('openssl', encrypt, { env: secrets });
  const sign = (passphrase: string) =>
    runJob('sign', {
      workflow,
      folder: folder.at('job'),
      env: { OTA_PRIVATE_KEY: privateKey, OTA_PASSPHRASE: passphrase },
      needs,
    });
  const wrong = await sign('wrong horse battery');
  t.is(wrong.failed, 'Sign');
  t.regex(wrong.output, /error\[KEY_PASSPHRASE_WRONG\]/);
  t.deepEqual(await signedIn(folder), []);
  const job = await sign(secrets.OTA_PASSPHRASE);
  t.is(job.failed, undefined, job.output);
  t.deepEqual(await signedIn(folder), signed);
  const log = (await folder.text('job/release/signing-log.jsonl')).trimEnd().split('\n');
  t.deepEqual(log.map((line) => `release/${JSON.parse(line).file}`).sort(), signed);
  t.false(`${job.output}${wrong.output}${log}`.includes('horse'));
});

test('the signing job writes nothing with a wrong PIN or changed files', async (t) => {
  const { folder, needs, env } = await placeOfSigning(t);
  const sign = (more: Readonly<Record<string, string>>) =>
    runJob('sign', { workflow, folder: folder.at('job'), env: { ...env, ...more }, needs });
  const wrong = await sign({ SIGNER_PIN: '0000' });
  t.is(wrong.failed, 'Sign');
  t.regex(wrong.output, /error\[SIGNER_FAILED\]/);
  t.deepEqual(await signedIn(folder), []);
  await folder.write('job/release/firmware.elf', 'another file');
  t.is((await sign({ SIGNER_PIN: pin })).failed, 'Check that these are the files from the build job');
  t.deepEqual(await signedIn(folder), []);
});

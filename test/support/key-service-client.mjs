/**
 * Stands in for the command line client of a key service: `node key-service-client.mjs SERVICE KEY ARGUMENT…`. It accepts only the command
 * line of the service, opens files by path as the real client does, and signs with the private key in KEY.
 */
import { createPrivateKey, privateEncrypt, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';

const [service, keyFile, ...argv] = process.argv.slice(2);
const key = createPrivateKey(readFileSync(keyFile));
const digestInfo = Buffer.from('3031300d060960864801650304020105000420', 'hex');

/** Signs a digest as RSASSA-PKCS1-v1_5. */
function signDigest(digest) {
  if (digest.length !== 32) throw new Error(`the digest has ${digest.length} bytes`);
  return privateEncrypt(key, Buffer.concat([digestInfo, digest]));
}

/** Requires the arguments, in which one is a pattern, and returns what the pattern captured. */
function captured(expected) {
  if (argv.length !== expected.length) throw new Error(`${argv.length} arguments instead of ${expected.length}`);
  let found;
  for (const [index, argument] of argv.entries()) {
    const wanted = expected[index];
    if (wanted instanceof RegExp) found = wanted.exec(argument)?.[1];
    if (wanted instanceof RegExp ? found === undefined : wanted !== argument) {
      throw new Error(`argument ${argument} instead of ${wanted}`);
    }
  }
  return found;
}

const words = (text) => text.split(' ');

const services = {
  aws() {
    const file = captured([
      ...words('kms sign --key-id alias/door --message-type DIGEST --signing-algorithm RSASSA_PKCS1_V1_5_SHA_256'),
      '--message',
      /^fileb:\/\/(\/.+)$/,
      ...words('--query Signature --output text'),
    ]);
    process.stdout.write(`${signDigest(readFileSync(file)).toString('base64')}\n`);
  },
  gcloud() {
    const file = captured([
      ...words('kms asymmetric-sign --location europe-west1 --keyring firmware --key door --version 1'),
      ...words('--digest-algorithm sha256 --input-file'),
      /^(.+)$/,
      ...words('--signature-file -'),
    ]);
    process.stdout.write(sign('sha256', readFileSync(file), key));
  },
  az() {
    const body = captured([
      ...words('rest --method post --resource https://vault.azure.net --query value --output tsv --url'),
      'https://firmware.vault.azure.net/keys/door/0123456789abcdef/sign?api-version=7.4',
      '--body',
      /^(.+)$/,
    ]);
    const { alg, value } = JSON.parse(body);
    if (alg !== 'RS256' || !/^[\w-]+$/.test(value)) throw new Error(`body ${body}`);
    process.stdout.write(`${signDigest(Buffer.from(value, 'base64url')).toString('base64url')}\n`);
  },
  vault() {
    const input = captured([
      ...words('write -field=signature transit/sign/door/sha2-256'),
      /^input=([A-Za-z0-9+/]+=*)$/,
      ...words('prehashed=true signature_algorithm=pkcs1v15'),
    ]);
    process.stdout.write(`vault:v1:${signDigest(Buffer.from(input, 'base64')).toString('base64')}`);
  },
};

services[service]();

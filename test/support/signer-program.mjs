/**
 * Program that signs, for tests: reads its stdin and writes a signature. The first argument is the path of an unencrypted key, and the
 * second one is what the program does. All actions but the first three are those of a program that does not work.
 */
import { constants, createHash, createSign, generateKeyPairSync, privateEncrypt, sign } from 'node:crypto';
import { openSync, readFileSync, writeSync } from 'node:fs';

const [keyPath, action] = process.argv.slice(2);
const key = readFileSync(keyPath);
const sha256Prefix = Buffer.from('3031300d060960864801650304020105000420', 'hex');
const padded = (bytes) => privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, bytes);
const digest = (bytes) => createHash('sha256').update(bytes).digest();
const input = () => readFileSync(0);
const write = (bytes) => writeSync(1, bytes);
const otherKey = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

const actions = {
  digest: () => write(padded(Buffer.concat([sha256Prefix, input()]))),
  'digest-info': () => write(padded(input())),
  payload: () => write(sign('sha256', input(), key)),
  environment: () => {
    writeSync(2, `${JSON.stringify(process.env)}\n`);
    actions.digest();
  },
  nothing: () => input(),
  'stderr-only': () => void writeSync(2, `signed ${input().length} bytes\n`),
  'exit-1': () => {
    writeSync(2, 'C_Login failed: CKR_PIN_INCORRECT\n');
    write(padded(Buffer.concat([sha256Prefix, input()])));
    process.exit(1);
  },
  killed: () => process.kill(process.pid, 'SIGKILL'),
  hang: () => setInterval(() => undefined, 1000),
  'stderr-then-hang': () => {
    writeSync(2, 'waiting for a touch\n');
    actions.hang();
  },
  'too-much': () => {
    for (let written = 0; written < 1_000_000; written += 1000) write(Buffer.alloc(1000));
  },
  'one-byte-short': () => write(padded(Buffer.concat([sha256Prefix, input()])).subarray(1)),
  'one-byte-long': () => write(Buffer.concat([padded(Buffer.concat([sha256Prefix, input()])), Buffer.of(0)])),
  base64: () => write(padded(Buffer.concat([sha256Prefix, input()])).toString('base64')),
  garbage: () => write(Buffer.alloc(256, 'garbage')),
  'wrong-key': () => write(privateEncrypt(otherKey(), Buffer.concat([sha256Prefix, input()]))),
  pss: () =>
    write(createSign('sha256').update(input()).sign({ key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 })),
  'no-digest-info': () => write(padded(input())),
  'hash-of-digest': () => write(sign('sha256', input(), key)),
  'something-else': () => write(padded(Buffer.concat([sha256Prefix, digest('something else')]))),
  'asks-for-pin': () => {
    writeSync(2, 'Please enter User PIN: ');
    readFileSync(openSync('/dev/tty', 'r'));
  },
};

actions[action]();

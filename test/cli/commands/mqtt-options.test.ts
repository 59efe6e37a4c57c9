import test, { type ExecutionContext } from 'ava';
import { type CommandRun, runCommand } from '../../support/run-command.ts';
import { testFolder } from '../../support/test-folder.ts';

const secret = 'correct-horse';
const serve = ['serve', '--data', 'data', '--listen', '127.0.0.1:0'];

function requireNoSecret(t: ExecutionContext, { stdout, stderr, error }: CommandRun): void {
  t.notRegex([stdout, stderr, error?.message, error?.hint, error?.stack].join('\n'), new RegExp(secret));
}

test('rejects the URL of a broker with a password, and names the variable for it', async (t) => {
  const { path } = await testFolder(t);
  for (const url of [`mqtt://ota:${secret}@broker`, `mqtts://ota:a/b@${secret}@broker`]) {
    const run = await runCommand([...serve, '--mqtt', url, '--json'], { cwd: path });
    t.is(run.error?.code, 'URL_PASSWORD_EXPOSED', run.error?.message);
    t.is(run.error?.message, 'The URL in --mqtt contains a password');
    t.is(run.error?.hint, 'Remove the password, and set OTA_MQTT_PASSWORD.');
    requireNoSecret(t, run);
  }
});

for (const [url, reason] of [
  ['broker.example.com', 'it is not a URL'],
  ['https://broker.example.com', 'it must begin with mqtt:// or mqtts://'],
  ['mqtt://', 'it names no host'],
  ['mqtt://broker.example.com/home', 'it must end after the host or the port'],
  ['mqtt://broker.example.com?clientId=x', 'it must end after the host or the port'],
  [`mqtt://:${secret}@broker.example.com`, 'a password is set, but the URL names no user'],
  ['mqtt://o%ta@broker.example.com', 'a percent sign in it is not followed by two hexadecimal digits'],
] as const) {
  test(`rejects the URL ${url.replace(secret, 'PASSWORD')} of a broker from the environment`, async (t) => {
    const { path } = await testFolder(t);
    const run = await runCommand(serve, { cwd: path, env: { OTA_MQTT_URL: url } });
    t.is(run.error?.code, 'MQTT_URL_INVALID', run.error?.message);
    t.is(run.error?.message, `The URL of the MQTT broker is invalid: ${reason}`);
    requireNoSecret(t, run);
  });
}

test('rejects a password without a user, and options without a broker or without TLS', async (t) => {
  const { path } = await testFolder(t, { 'ca.pem': 'no certificate' });
  const rejected = async (argv: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const run = await runCommand([...serve, ...argv], { cwd: path, env });
    requireNoSecret(t, run);
    return [run.error?.code, run.error?.hint];
  };
  const [code] = await rejected(['--mqtt', 'mqtt://broker'], { OTA_MQTT_PASSWORD: secret });
  t.is(code, 'MQTT_URL_INVALID');
  t.deepEqual(await rejected(['--mqtt-install']), ['OPTION_MISSING', 'Add --mqtt URL.']);
  t.deepEqual(await rejected(['--mqtt-ca', 'ca.pem']), ['OPTION_MISSING', 'Add --mqtt URL.']);
  const plain = await rejected(['--mqtt', 'mqtt://broker', '--mqtt-ca', 'ca.pem']);
  t.deepEqual(plain, ['OPTION_MISSING', 'Add --mqtt mqtts://HOST.']);
  const [missing] = await rejected(['--mqtt', 'mqtts://broker', '--mqtt-ca', 'none.pem']);
  t.is(missing, 'FILE_NOT_FOUND');
  const [unusable] = await rejected(['--mqtt', 'mqtts://broker', '--mqtt-ca', 'ca.pem']);
  t.is(unusable, 'TLS_FILE_UNUSABLE');
});

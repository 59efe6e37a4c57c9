import { fileURLToPath } from 'node:url';
import test from 'ava';
import { execa } from 'execa';
import { listed, packedDoor, updatesOf, virtualDoor } from '../../support/fleet.ts';

const onTerminal = fileURLToPath(new URL('on-terminal.py', import.meta.url));
const cli = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));
const password = 'typed-by-hand';

function upload(cwd: string, keys: string) {
  const argv = [onTerminal, keys, process.execPath, cli, 'upload', 'build/door.ino.bin', '--all'];
  return execa('python3', argv, { cwd, env: { CI: '', NO_COLOR: '', TERM: 'xterm' }, reject: false, timeout: 480_000 });
}

test.serial('authenticates with a password typed at the prompt and never shows it', async (t) => {
  const device = await virtualDoor(t, { password });
  const folder = await packedDoor(t, { door: listed(device, { password: { prompt: true } }) });
  const { exitCode, stdout } = await upload(folder.path, `${password}\\r`);
  t.is(exitCode, 0, stdout);
  t.regex(stdout, /Password of door/);
  t.false(stdout.includes(password));
  t.deepEqual(updatesOf(device), ['accepted']);
});

test.serial('Ctrl-C at the password prompt exits with 130 and sends nothing', async (t) => {
  const device = await virtualDoor(t, { password });
  const folder = await packedDoor(t, { door: listed(device, { password: { prompt: true } }) });
  const { exitCode, stdout } = await upload(folder.path, '\\x03');
  t.is(exitCode, 130, stdout);
  t.deepEqual(updatesOf(device), []);
});

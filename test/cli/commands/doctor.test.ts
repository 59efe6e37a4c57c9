import { chmod, stat } from 'node:fs/promises';
import test from 'ava';
import { rsaPems } from '../../support/key-pairs.ts';
import { runCommand } from '../../support/run-command.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';

const { privatePem, publicPem } = rsaPems(2048);
const config = JSON.stringify({ upload: { hostIp: '127.0.0.1' } });
const sketch = { 'door/door.ino': '', 'door/ota.config.json': config };

function doctor(folder: TestFolder, ...options: string[]) {
  return runCommand(['doctor', ...options], { cwd: folder.at('door'), home: folder.at('home') });
}

test('doctor reports no errors without a project or installed tools', async (t) => {
  const folder = await testFolder(t, { 'door/.keep': '', 'home/.keep': '' });
  const { exitCode, stdout: report } = await doctor(folder);
  t.is(exitCode, 0);
  t.regex(report, /^note {4}No PlatformIO project or sketch in .*: only this machine was checked$/m);
  t.regex(report, /^note {4}PlatformIO is not installed or cannot be run$/m);
  t.regex(report, /^note {4}No ESP8266 core for Arduino is installed$/m);
  t.notRegex(report, /^error/m);
});

test('doctor --quiet prints only problems with their fixes and exits with 1 on an error', async (t) => {
  const folder = await testFolder(t, {
    ...sketch,
    'door/private.key': privatePem,
    'door/public.key': rsaPems().publicPem,
  });
  const { exitCode, stdout, error } = await doctor(folder, '--quiet');
  t.is(exitCode, 1);
  t.regex(
    stdout,
    /^error {3}The private key and the public key do not match.*\n {8}→ Restore a matching key pair from your backup/m,
  );
  t.notRegex(stdout, /^ok/m, '--quiet omits findings without a problem');
  t.is(error?.message, '`doctor` found 1 error');
});

test('doctor --fix applies and reports fixes, then checks again', async (t) => {
  const folder = await testFolder(t, { ...sketch, 'door/private.key': privatePem, 'door/public.key': publicPem });
  await chmod(folder.at('door/private.key'), 0o644);
  t.regex((await doctor(folder)).stdout, /private\.key is accessible to other users/);

  const { exitCode, stdout, stderr } = await doctor(folder, '--fix');
  t.is(exitCode, 0);
  t.is((await stat(folder.at('door/private.key'))).mode & 0o777, 0o600);
  t.regex(stderr, /^fixed: set the permissions of private\.key to 600$/m);
  t.regex(stdout, /^ok {6}private\.key is not exposed to other users, git or devices$/m);
  t.notRegex((await doctor(folder, '--fix')).stderr, /fixed/, 'the second run has nothing to fix');
});

test('doctor --json prints one document even when it finds errors', async (t) => {
  const folder = await testFolder(t, { ...sketch, 'door/private.key': 'garbled', 'home/.keep': '' });
  const { exitCode, stdout } = await doctor(folder, '--json');
  t.is(exitCode, 1);
  const { folder: looked, findings, fixed } = JSON.parse(stdout);
  t.is(looked, folder.at('door'));
  t.deepEqual(fixed, []);
  t.like(
    findings.find(({ check }: { check: string }) => check === 'keys'),
    { level: 'error', fixable: false },
  );
});

test('doctor uses colors only in a terminal', async (t) => {
  const folder = await testFolder(t, sketch);
  const world = { cwd: folder.at('door'), home: folder.at('home') };
  const start = '\u001b';
  t.true((await runCommand(['doctor'], { ...world, fancy: true })).stdout.includes(`${start}[32mok     ${start}[0m`));
  t.false((await runCommand(['doctor'], world)).stdout.includes(start));
});

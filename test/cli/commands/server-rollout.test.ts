import test, { type ExecutionContext } from 'ava';
import type { RolloutInfo } from '../../../src/api/rollout-info.ts';
import { overdue } from '../../../src/server/services/devices/attempts.ts';
import { sketchMd5Of, testBuild, testSigner } from '../../server/builds.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { startTestServer } from '../../server/running-server.ts';
import { runCommand } from '../../support/run-command.ts';
import { serverCommands } from '../../support/server-commands.ts';

const signer = testSigner();
const build = (version: string, seed: number) =>
  testBuild({ version, project: 'door', signer, seed, sizeBytes: 8192, compression: 'none' });
const [old, young] = [await build('1.0', 1), await build('2.0', 2)];

function macOf(index: number): string {
  return `18:FE:34:00:00:0${index}`;
}

/** A server with release 1.0, a draft 2.0 and devices that run 1.0. */
async function place(t: ExecutionContext, devices = 4) {
  const server = await startTestServer(t);
  await server.publish(old);
  await server.publish(young, { draft: true });
  const checkIn = (index: number, runs = old) =>
    requestAsDevice(server.port, '/update/door', { mac: macOf(index), sketchMd5: sketchMd5Of(runs.manifest) });
  for (let index = 0; index < devices; index++) await checkIn(index);
  const update = async (index: number) => {
    t.is((await checkIn(index)).header('x-version'), '2.0');
    t.is((await checkIn(index, young)).status, 304);
  };
  return { server, checkIn, update, ...serverCommands(server, server.folder) };
}

function linesOf(text: string): readonly string[] {
  return text.trimEnd().split('\n');
}

test('rollouts start and show print the rollout and its stages, and --json matches the API', async (t) => {
  const { run, json, update, server } = await place(t);
  await run('devices', 'set', 'door', macOf(0), '--name', 'front-door');
  await run('devices', 'enroll', 'door', '--seen');
  await run('devices', 'enroll', 'door', macOf(3), '--group', 'hall');
  const stages = ['--stage', 'canary=front-door', '--stage', '0,group=hall', '--stage', '100%'];
  const { stdout, exitCode } = await run('rollouts', 'start', 'door', '2.0', ...stages, '--soak', '0');
  t.is(exitCode, 0);
  const lines = linesOf(stdout);
  t.regex(lines[0] ?? '', /^rollout +1: door 2\.0 on stable, replacing 1\.0$/);
  t.is(lines[1], 'state        active');
  t.is(lines[2], 'waiting for  1 of 1 device to run 2.0 (0 so far)');
  t.is(lines[3], 'devices      ota-hooks server rollouts show door --id 1 --waiting');
  t.is(lines[4], 'credentials  0 of 4 devices authenticate; list: --status without-credentials');
  t.regex(lines[6] ?? '', /^1 +18:FE:34:00:00:00 +·{20} +0 of 1 updated; 1 pending$/);
  t.regex(lines[7] ?? '', /^2 \(closed\) +group hall +·{20} +0 of 1 updated; 1 pending$/);
  t.regex(lines[8] ?? '', /^3 \(closed\) +100% +·{20} +0 of 2 updated; 2 pending$/);
  t.regex(lines[9] ?? '', /^just now +started +first admin$/);

  await update(0);
  await server.parts.rollouts.maintain();
  const shown = await run('rollouts', 'show', 'door');
  t.regex(shown.stdout, /^1 +18:FE:34:00:00:00 +█{20} +1 of 1 updated$/m);
  t.regex(shown.stdout, /stage 2 opened +server/);
  const { body } = await server.api('GET', '/projects/door/rollouts/1');
  t.deepEqual(await json('rollouts', 'show', 'door', '--id', '1'), body);
  t.like(body, { openStages: 2, tally: { running: 1 } });
});

test('rollouts start applies defaults and passes its options to the server', async (t) => {
  const { json, run } = await place(t, 12);
  await run('devices', 'enroll', 'door', '--seen');
  const plain: RolloutInfo = await json('rollouts', 'start', 'door', '2.0');
  t.deepEqual(
    plain.stages.map(({ share }) => share),
    [5, 20, 50, 100],
  );
  t.deepEqual(plain.gate, { runningPercent: 90, soakMs: 600_000 });
  t.deepEqual(plain.halt, { failures: 5, failurePercent: 10, minimumSample: 10, notConfirmed: 2 });
  await json('rollouts', 'abort', 'door', '--yes');
  const gate = ['--running', '75%', '--soak', '2h'];
  const halt = ['--halt-failures', '3', '--halt-percent', '2.5', '--halt-sample', '20', '--halt-not-confirmed', '1'];
  const said: RolloutInfo = await json('rollouts', 'start', 'door', '2.0', '--stage', '100', ...gate, ...halt);
  t.deepEqual(said.gate, { runningPercent: 75, soakMs: 7_200_000 });
  t.deepEqual(said.halt, { failures: 3, failurePercent: 2.5, minimumSample: 20, notConfirmed: 1 });
});

test('rollouts list prints one line per rollout, newest first', async (t) => {
  const { json, run } = await place(t, 1);
  await run('devices', 'enroll', 'door', '--seen');
  t.deepEqual(linesOf((await run('rollouts', 'list', 'door')).stdout).length, 1, 'only the table header');
  for (const _ of [1, 2]) {
    await json('rollouts', 'start', 'door', '2.0', '--stage', '100');
    await json('rollouts', 'abort', 'door', '--reason', 'as agreed', '--yes');
  }
  const [heading = '', newest = '', oldest = ''] = linesOf((await run('rollouts', 'list', 'door')).stdout);
  t.regex(heading, /^id +version +channel +state +stages open +devices +started$/);
  t.regex(newest, /^2 +2\.0 +stable +aborted +1 of 1 +0 of 1 updated, 0 failed +just now$/);
  t.regex(oldest, /^1 +2\.0/);
  t.deepEqual(
    (await json('rollouts', 'list', 'door')).map(({ id }: RolloutInfo) => id),
    [2, 1],
  );
});

test('rollouts pause, resume, advance, abort and rollback record their reasons', async (t) => {
  const { run, checkIn } = await place(t);
  await run('devices', 'enroll', 'door', '--seen');
  await run('rollouts', 'start', 'door', '2.0', '--stage', `canary=${macOf(0)}`, '--stage', '100');
  const state = async (...argv: string[]) => {
    const { stdout, error } = await run('rollouts', ...argv);
    return error === undefined ? linesOf(stdout).find((line) => line.startsWith('state')) : error.message;
  };
  t.is(await state('pause', 'door', '--reason', 'lunch'), 'state        paused: lunch');
  t.is((await checkIn(0)).status, 304);
  t.regex((await state('advance', 'door')) ?? '', /the rollout of 2\.0 is paused and cannot be advanced/);
  t.is(await state('resume', 'door', '--reason', 'back'), 'state        active: back');
  t.is((await checkIn(1)).status, 304);
  t.is(await state('advance', 'door'), 'state        active: back');
  t.is((await checkIn(1)).header('x-version'), '2.0');
  t.is(await state('abort', 'door', '--yes'), 'state        aborted');
  t.regex((await state('resume', 'door')) ?? '', /is aborted and cannot be resumed/);
  t.is(await state('rollback', 'door', '--id', '1', '--yes'), 'state        rolled-back');
  t.is((await checkIn(1, young)).header('x-version'), '1.0');
  const { stdout } = await run('rollouts', 'show', 'door');
  t.regex(
    stdout,
    /paused +first admin +lunch\n.*resumed +first admin +back\n.*stage 2 opened.*\n.*aborted.*\n.*rolled back/,
  );
});

test('rollouts show explains a halt, and resume requires --accept-failures', async (t) => {
  const { run, checkIn, server } = await place(t);
  await run('devices', 'enroll', 'door', '--seen');
  await run('rollouts', 'start', 'door', '2.0', '--stage', '100');
  for (const index of [0, 1]) t.is((await checkIn(index)).header('x-version'), '2.0');
  const later = { wallMs: Date.now(), servedMs: server.parts.clock.now().servedMs + 2 * 86_400_000 };
  for (const index of [0, 1]) {
    await server.parts.records.change('door', macOf(index), (record) => {
      return record && { ...record, attempts: overdue(record.attempts, later) };
    });
  }
  const { stdout } = await run('rollouts', 'show', 'door');
  t.regex(
    stdout,
    /^state +halted: 2 devices did not confirm 2\.0 \(limit: 2\); all reports from 1 address, unproven$/m,
  );
  t.regex(stdout, /^next +.*devices list door --failed.*abort, rollback, or resume --accept-failures$/m);
  t.regex(stdout, /×{10}·{10} +0 of 4 updated; 2 pending, 2 failed \(2 not confirmed\)$/m);
  const refused = await run('rollouts', 'resume', 'door');
  t.is(refused.exitCode, 1);
  t.regex(refused.error?.hint ?? '', /--accept-failures/);
  t.regex((await run('rollouts', 'resume', 'door', '--accept-failures')).stdout, /^state +active$/m);
  t.is((await checkIn(2)).header('x-version'), '2.0');
});

test('devices enroll selects devices by MAC address, --seen or --proven, and reverts enrollment with --remove', async (t) => {
  const { run, json, server, checkIn } = await place(t, 3);
  const enrolled = async () =>
    (await json('devices', 'list', 'door'))
      .filter((device: { enrolled: boolean }) => device.enrolled)
      .map(({ mac }: { mac: string }) => mac);
  t.is((await run('devices', 'enroll', 'door', '--proven')).stdout, 'Enrolled 0 devices\n');
  t.is(
    (await run('devices', 'enroll', 'door', macOf(0), '--group', 'hall')).stdout,
    'Enrolled 1 device in group hall\n',
  );
  t.deepEqual(await enrolled(), [macOf(0)]);
  await server.api('PUT', '/projects/door/channels/stable', { version: '2.0' });
  t.is((await checkIn(1)).header('x-version'), '2.0');
  await checkIn(1, young);
  t.deepEqual(await json('devices', 'enroll', 'door', '--proven'), { matched: 1, changed: 1 });
  t.deepEqual((await enrolled()).sort(), [macOf(0), macOf(1)]);
  t.is((await run('devices', 'enroll', 'door', '--seen')).stdout, 'Enrolled 1 device; 2 unchanged\n');
  t.is((await enrolled()).length, 3);
  t.is((await json('devices', 'show', 'door', macOf(0))).group, 'hall', 'its group stays');
  t.is((await run('devices', 'enroll', 'door', macOf(0), '--remove')).stdout, 'Unenrolled 1 device\n');
  t.false((await enrolled()).includes(macOf(0)));
  t.is((await json('devices', 'show', 'door', macOf(0))).group, 'hall', 'its group stays');
  t.is((await run('devices', 'enroll', 'door', macOf(0), '--remove', '--group', 'hall')).exitCode, 2);
});

const mistakes: readonly (readonly [argv: string, message: RegExp, hint: RegExp])[] = [
  ['start door 2.0 --stage ten', /^--stage ten: invalid part "ten"; must be percentages, canary=NAME/, /with commas/],
  ['start door 2.0 --stage 101', /invalid part "101"/, /--stage canary=front-door,5/],
  ['start door 2.0 --stage 5,', /^--stage 5,: empty part; must be/, /Separate the parts of a stage with commas/],
  ['start door 2.0 --stage canary=', /invalid part "canary="/, /canary=front-door/],
  ['start door 2.0 --stage 5,10', /^--stage 5,10: must have at most one percentage$/, /--stage once for each stage/],
  [
    'start door 2.0 --soak soon',
    /^--soak soon: must be a duration with its unit, such as 90s, 10m, 2h or 1d$/,
    /--help/,
  ],
  ['start door 2.0 --soak 10', /^--soak 10: must be a duration with its unit/, /--help/],
  ['start door 2.0 --running 0', /^--running 0: must be a percentage from 1 to 100$/, /--help/],
  ['start door 2.0 --halt-percent all', /^--halt-percent all: must be a percentage from 1 to 100$/, /--help/],
  ['start door 2.0 --halt-failures 0', /^--halt-failures 0: must be a positive integer$/, /--help/],
  ['start door 2.0 --halt-not-confirmed 1.5', /^--halt-not-confirmed 1\.5: must be a positive integer$/, /--help/],
  ['show door', /^No rollout of door on channel stable$/, /rollouts start/],
  ['pause door --channel beta', /^No rollout of door on channel beta$/, /--channel/],
  ['show door --id last', /^--id last: must be a positive integer$/, /--help/],
];

test('rollouts and devices enroll reject invalid arguments with an error and a hint', async (t) => {
  const { server } = await place(t, 0);
  for (const [argv, message, hint] of mistakes) {
    const { exitCode, error, stdout } = await serverCommands(server, server.folder).run('rollouts', ...argv.split(' '));
    t.is(exitCode, 2, argv);
    t.regex(error?.message ?? '', message);
    t.regex(error?.hint ?? '', hint);
    t.is(stdout, '');
  }
  const none = await serverCommands(server, server.folder).run('devices', 'enroll', 'door');
  t.is(none.exitCode, 2);
  t.is(none.error?.message, '`enroll` requires devices, --proven or --seen');
  t.regex(none.error?.hint ?? '', /devices.*--proven.*--seen/);
});

test('rollouts prints server errors with their hints and fails without required arguments', async (t) => {
  const { run, server } = await place(t, 1);
  const refusal = async (...argv: string[]) => {
    const { exitCode, error } = await run('rollouts', ...argv);
    return `${exitCode} ${error?.message} | ${error?.hint}`;
  };
  t.regex(await refusal('start', 'door', '2.0'), /^1 .*no device of door is enrolled.*\| .*server devices enroll/);
  await run('devices', 'enroll', 'door', '--seen');
  t.regex(await refusal('start', 'door', '9.9'), /^1 .*door has no release 9\.9.*\| .*--draft/);
  t.regex(await refusal('start', 'door', '1.0'), /^1 .*1\.0 is already the current release of stable.*\| .*--draft/);
  t.regex(await refusal('start', 'door', '2.0', '--stage', '10'), /^1 .*the last stage must be for 100 percent/);
  t.regex(
    await refusal('start', 'door', '2.0', '--stage', 'canary=nobody', '--stage', '100'),
    /^1 .*the name or MAC nobody/,
  );
  t.regex(await refusal('show', 'door', '--id', '7'), /^1 .*rollout 7 not found/);
  const reader = await serverCommands(server, server.folder).json('tokens', 'create', '--role', 'read');
  const asReader = serverCommands(server, server.folder, reader.token);
  t.is((await asReader.run('rollouts', 'list', 'door')).exitCode, 0);
  t.regex((await asReader.run('rollouts', 'start', 'door', '2.0')).error?.message ?? '', /role-missing/);
  t.is((await runCommand(['server', 'rollouts', 'start', 'door'], { cwd: '.' })).exitCode, 2);
});

test('rollouts show lists the devices that the rollout waits for, with the reason', async (t) => {
  const { run, json, update, checkIn, server } = await place(t);
  await run('devices', 'set', 'door', macOf(0), '--name', 'front-door');
  await run('devices', 'enroll', 'door', '--seen');
  const stages = ['--stage', `canary=${macOf(0)},canary=${macOf(1)},canary=${macOf(2)}`, '--stage', '100'];
  await run('rollouts', 'start', 'door', '2.0', ...stages, '--soak', '0');
  await update(1);
  await checkIn(2);
  const { stdout } = await run('rollouts', 'show', 'door', '--waiting');
  const lines = linesOf(stdout);
  t.is(lines[0], 'rollout 1, 2.0 on stable: 2 devices');
  t.regex(lines[2] ?? '', /^18:FE:34:00:00:00 +front-door +1 +pending +just now$/);
  t.regex(lines[3] ?? '', /^ {2}No update check since stage 1 opened\.$|^ {2}Runs 1\.0/);
  t.regex(lines[4] ?? '', /^18:FE:34:00:00:02 +- +1 +updating +just now$/);
  t.regex(lines[5] ?? '', /^ {2}Download/);
  t.is(lines.length, 6);

  const limited = await json('rollouts', 'show', 'door', '--status', 'pending', '--limit', '1');
  t.like(limited, { id: 1, devices: { total: 2, devices: [{ mac: macOf(0), stage: 1 }], next: macOf(0) } });
  const more = await run('rollouts', 'show', 'door', '--stage', '1', '--limit', '2');
  t.regex(more.stdout, /^rollout 1, 2\.0 on stable: 2 of 3 devices$/m);
  t.regex((await run('rollouts', 'show', 'door', '--stage', '2', '--status', 'failed')).stdout, /: 0 devices$/m);

  const wrongStage = await run('rollouts', 'show', 'door', '--stage', '3');
  t.is(wrongStage.exitCode, 2);
  t.regex(`${wrongStage.error}`, /the rollout has 2 stages/);
  const both = await run('rollouts', 'show', 'door', '--waiting', '--status', 'failed');
  t.is(both.exitCode, 2);
  t.is((await run('rollouts', 'show', 'door', '--status', 'tired')).exitCode, 2);

  const { store, clock, rollouts } = server.parts;
  while ((await store.rollouts.find('door', 1))?.progress?.running !== 1) await rollouts.maintain();
  await store.advanceServedMs(2 * 86_400_000);
  await clock.update();
  await rollouts.maintain();
  t.regex((await run('rollouts', 'list', 'door')).stdout, /^1 +2\.0 +stable +active, stalled +1 of 2/m);
  t.regex(
    (await run('rollouts', 'show', 'door')).stdout,
    /^stalled +[\w ]+: waiting for 3 of 3 devices .* 1 pending, /m,
  );
});

test('rollouts watch prints one line for each change, and ends with the rollout', async (t) => {
  const { run, update, server } = await place(t, 2);
  await run('devices', 'enroll', 'door', '--seen');
  await run('rollouts', 'start', 'door', '2.0', '--stage', '100', '--soak', '0', '--window', '00:00-23:59');
  const shown = await run('rollouts', 'show', 'door');
  t.regex(shown.stdout, /^window +00:00-23:59 UTC \(/m);
  const watching = run('rollouts', 'watch', 'door', '--interval', '0');
  await update(0);
  await update(1);
  await server.parts.rollouts.maintain();
  const { stdout, exitCode } = await watching;
  t.is(exitCode, 0);
  const lines = linesOf(stdout);
  t.is(lines.at(-1), '2.0 complete: stage 1 of 1, 2 of 2 updated');
  t.is(new Set(lines).size, lines.length, 'no line is repeated');
});

test('rollouts watch ends with an error when the rollout is halted, and prints the rollout as JSON', async (t) => {
  const { run, json } = await place(t, 1);
  await run('devices', 'enroll', 'door', '--seen');
  await run('rollouts', 'start', 'door', '2.0', '--stage', '100', '--per-hour', '5');
  t.regex((await run('rollouts', 'show', 'door')).stdout, /^per hour +at most 5 updates$/m);
  await json('releases', 'yank', 'door', '2.0', '--reason', 'it smokes', '--yes');
  const { stdout, exitCode, error } = await run('rollouts', 'watch', 'door', '--json');
  t.is(exitCode, 1);
  t.is(error?.message, 'The rollout of 2.0 is halted: yanked: it smokes');
  t.like(JSON.parse(stdout.split('\n')[0] ?? ''), { state: 'halted', perHour: 5, isWindowOpen: true });
  t.is((await json('rollouts', 'list', 'door', '--status', 'halted')).length, 1);
  t.is((await json('rollouts', 'list', 'door', '--status', 'active')).length, 0);
  t.is((await run('rollouts', 'start', 'door', '2.0', '--time-zone', 'Europe/Berlin')).error?.code, 'OPTION_MISSING');
  t.is((await run('rollouts', 'start', 'door', '2.0', '--window', '1-5')).error?.code, 'OPTION_INVALID');
});

test('rollouts and the audit log show the names of tokens', async (t) => {
  const { run, server, json } = await place(t, 1);
  await run('devices', 'enroll', 'door', '--seen');
  const { token } = await json('tokens', 'create', '--role', 'operate', '--name', 'night shift');
  const operator = serverCommands(server, server.folder, token);
  t.regex((await operator.run('rollouts', 'start', 'door', '2.0', '--stage', '100')).stdout, /started +night shift$/m);
  t.regex((await run('audit', '--limit', '1')).stdout, /night shift +rollout\.started/);
});

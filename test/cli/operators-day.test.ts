/** A day of an operator: everything that a person does is a command; the devices are requests. */
import test from 'ava';
import { formatManifest } from '../../src/core/model/manifest.ts';
import type { Build } from '../../src/core/pack/build.ts';
import { sketchMd5Of, testBuild, testSigner } from '../server/builds.ts';
import { requestAsDevice } from '../server/raw-device.ts';
import { startTestServer } from '../server/running-server.ts';
import { startReceiver, typesIn } from '../server/webhooks/receiver.ts';
import { runCommand } from '../support/run-command.ts';
import { testFolder } from '../support/test-folder.ts';

const recipe = { project: 'door', signer: testSigner(), sizeBytes: 8192, compression: 'none' } as const;
const good = await testBuild({ ...recipe, version: '1.0' });
const bad = await testBuild({ ...recipe, version: '2.0', seed: 2 });

/** Files of a build, as `pack` writes them. */
function filesOf(folder: string, { files, manifest }: Build): Readonly<Record<string, string | Uint8Array>> {
  const named = [...files].map(([name, bytes]) => [`${folder}/${name}`, bytes] as const);
  return { ...Object.fromEntries(named), [`${folder}/${manifest.image.file}.ota.json`]: formatManifest(manifest) };
}

/** A time of day, some hours after now, in UTC. */
const timeOfDay = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString().slice(11, 16);

test('an operator publishes a draft, rolls it out in a window, hears of the halt, finds the cause, and rolls back', async (t) => {
  const server = await startTestServer(t);
  const receiver = await startReceiver(t);
  const folder = await testFolder(t, {
    ...filesOf('good', good),
    ...filesOf('bad', bad),
    'hook-url.txt': receiver.url,
  });
  const env = { OTA_SERVER: server.url, OTA_TOKEN: server.token };
  const ota = async (command: string): Promise<string> => {
    const { exitCode, stdout, stderr, error } = await runCommand(command.split(' '), { cwd: folder.path, env });
    t.is(exitCode, 0, `${command}\n${error?.message}\n${stderr}`);
    return stdout;
  };
  const macs = Array.from({ length: 6 }, (_, index) => `18:FE:34:00:00:0${index}`);
  const checkIn = (mac: string, runs = good) =>
    requestAsDevice(server.port, '/update/door', { mac, sketchMd5: sketchMd5Of(runs.manifest) });

  await ota('publish good');
  for (const mac of macs) t.is((await checkIn(mac)).status, 304);
  await ota('server devices enroll door --seen');
  for (const [index, mac] of macs.entries()) {
    await ota(`server devices set door ${mac} --name door-${index} --group ${index < 3 ? 'hall' : 'yard'}`);
  }
  await ota('server webhooks add --url-file hook-url.txt --allow-private --events rollout.halted,rollout.rolled-back');

  await ota('server projects set door --most-sends 1');
  // No channel serves the draft, and the first rollout is outside its window.
  await ota('publish bad --draft');
  for (const mac of macs) t.is((await checkIn(mac)).status, 304);
  const stages = '--stage canary=door-0 --stage 100 --soak 0 --halt-not-confirmed 9 --halt-failures 2';
  await ota(`server rollouts start door 2.0 ${stages} --window ${timeOfDay(3)}-${timeOfDay(5)} --time-zone UTC`);
  t.is((await checkIn('18:FE:34:00:00:00')).status, 304);
  await ota('server rollouts abort door --reason wrong-window --yes');
  await ota(
    `server rollouts start door 2.0 ${stages} --window ${timeOfDay(-3)}-${timeOfDay(5)} --time-zone UTC --per-hour 3`,
  );

  // Devices download the release, and restart with the old one.
  const failing = async (mac: string) => {
    t.is((await checkIn(mac)).header('x-version'), '2.0', mac);
    await checkIn(mac);
  };
  const [canary = '', ...others] = macs;
  t.is((await checkIn(canary)).header('x-version'), '2.0');
  t.is((await checkIn(canary, bad)).status, 304);
  await server.parts.rollouts.maintain();
  for (const mac of others.slice(1, 3)) await failing(mac);
  await server.parts.rollouts.maintain();

  await receiver.received(1);
  t.deepEqual(typesIn(receiver.log), ['rollout.halted']);
  t.is((await checkIn(others[3] ?? '')).status, 304, 'the halted rollout is sent to no other device');
  t.regex(await ota('server rollouts show door'), /^state +halted: 2 /m);
  const failed = await ota('server devices list door --failed');
  t.regex(failed, /door-2 .*not installed/);
  t.regex(failed, /door-3 .*not installed/);
  t.notRegex(failed, /door-[0145] /);

  t.regex(await ota('server devices retry door --failed --group hall'), /Cleared the failed updates of 1 device\./);
  t.is((await checkIn(others[1] ?? '')).status, 304, 'a retry does not pass a halted rollout');
  await ota('server releases yank door 2.0 --yes');
  await ota('server rollouts rollback door --yes --reason does-not-boot');
  t.is((await checkIn(canary, bad)).header('x-version'), '1.0');
  await receiver.received(2);
  t.deepEqual(typesIn(receiver.log), ['rollout.halted', 'rollout.rolled-back']);

  const audit = await ota('server audit');
  const expected = [
    /rollout\.rolled-back .*does-not-boot/,
    /release\.yanked .*"2\.0"/,
    /device\.retried .*:02/,
    /rollout\.aborted .*wrong-window/,
  ];
  for (const entry of expected) t.regex(audit, entry);
});

test('of two people who resume and abort a rollout at the same time, each sees one clear result', async (t) => {
  const server = await startTestServer(t);
  const folder = await testFolder(t);
  await server.publish(good);
  await server.publish(bad, { draft: true });
  const run = (command: string) =>
    runCommand(['server', ...command.split(' ')], {
      cwd: folder.path,
      env: { OTA_SERVER: server.url, OTA_TOKEN: server.token },
    });
  const enrolled = await run('devices enroll door 18:FE:34:00:00:00');
  t.is(enrolled.exitCode, 0, enrolled.error?.message);
  for (let id = 1; id <= 4; id++) {
    for (const command of ['rollouts start door 2.0 --stage 100', 'rollouts pause door']) {
      const { exitCode, error } = await run(command);
      t.is(exitCode, 0, error?.message);
    }
    const [resumed, aborted] = await Promise.all([
      run('rollouts resume door --reason one-person'),
      run('rollouts abort door --yes --reason another-person'),
    ]);
    t.is(aborted.exitCode, 0, aborted.error?.message);
    t.regex((await run('rollouts show door')).stdout, /^state +aborted: another-person$/m);
    if (resumed.exitCode !== 0) t.regex(resumed.error?.message ?? '', /aborted and cannot be resumed/);
    const audit = (await run('audit')).stdout.split('\n').filter((line) => line.includes(`{"rollout":${id},`));
    t.is(audit.filter((line) => line.includes('another-person')).length, 1);
    t.is(audit.filter((line) => line.includes('one-person')).length, resumed.exitCode === 0 ? 1 : 0);
  }
});

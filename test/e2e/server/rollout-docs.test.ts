/** Runs the commands of docs/rollout.md, from the first build to the steps after a halted rollout. */
import test from 'ava';
import { actsOf } from '../../docs/acts.ts';
import { outputOf, pageFollower, type Settled } from '../newcomer/follow-page.ts';
import { makePlace, type Place } from '../newcomer/place.ts';

const show = 'npx ota-hooks server rollouts show door';
const settled: readonly Settled[] = [
  {
    heading: 'Start 200 virtual devices',
    command: 'npx ota-hooks server projects list',
    until: /^door +open +\S+ +200 +stable 1\.0\.0/m,
  },
  { heading: 'Roll out a release', command: show, until: /^state +complete/m },
  { heading: 'Halt a faulty release', command: show, until: /^state +halted/m },
];

/** Changes the sketch as the page describes. */
async function changeSketch(place: Place, network: string): Promise<void> {
  const source = await place.read('src/main.cpp');
  await place.write('src/main.cpp', source.replace(/begin\("[^"]*"/, `begin("${network}"`));
}

/** Follows docs/server.md up to its first build. */
async function firstBuild(place: Place): Promise<void> {
  for (const act of actsOf('server.md', 'Set up a server and a device')) {
    await place.follow(act);
    if (act.act === 'run' && act.command === 'npx ota-hooks publish') return;
  }
}

test('every command of docs/rollout.md has the result that the page shows', async (t) => {
  t.timeout(8 * 60_000);
  const place = await makePlace(t);
  const { follow } = pageFollower(t, place, 'rollout.md', settled);
  await firstBuild(place);
  const enrolled = await follow('Start 200 virtual devices');
  t.regex(outputOf(enrolled, /enroll/), /Enrolled 200 devices/);

  const beforeBuild = (network: string) => async (act: { act: string; command?: string }) => {
    if (act.command === 'pio run') await changeSketch(place, network);
  };
  const good = await follow('Roll out a release', beforeBuild('another network'));
  t.regex(
    outputOf(good, /publish$/),
    /Published draft door 1\.1\.0 \(sketch, d1_mini\); no channel serves this release/,
  );
  t.regex(outputOf(good, /start/), /waiting for +1 of 1 device to run 1\.1\.0 \(0 so far\)/);
  t.regex(outputOf(good, /pause/), /^state +paused: lunch/m);
  t.regex(outputOf(good, /show/), /rollout +1: door 1\.1\.0 on stable, replacing 1\.0\.0/);
  t.regex(outputOf(good, /show/), /lunch[\s\S]*stage 5 opened +server[\s\S]*completed +server/);

  const bad = await follow('Halt a faulty release', beforeBuild('a third network'));
  const halted = outputOf(bad, /show/);
  t.regex(halted, /^state +halted: 2 devices did not confirm 1\.2\.0 \(limit: 2\)/m);
  t.regex(halted, /^1 +5C:CF:7F:51:00:01 +█{20} +1 of 1 updated/m);
  t.regex(halted, /^3 \(closed\) +25% +·{20} +0 of \d+ updated/m);
  t.is(outputOf(bad, /--failed/).match(/failed: 1\.2\.0 not confirmed/g)?.length, 2);
  t.regex(
    outputOf(bad, /--waiting/),
    /failed[^\n]*\n {2}1\.2\.0 not confirmed: no update check since the (incomplete )?download\./,
  );
  t.regex(outputOf(bad, /resume/), /^state +active: a power cut in the hall/m);
  t.regex(outputOf(bad, /abort/), /^state +aborted: it crashes on old boards/m);
  t.regex(outputOf(bad, /list door$/), /^2 +1\.2\.0 +stable +rolled-back[\s\S]*^1 +1\.1\.0 +stable +complete/m);

  const staged = await follow('Stages, groups and pins');
  t.regex(outputOf(staged, /enroll/), /Enrolled 2 devices in group hall/);
  const [asJson] = await follow('JSON output');
  // npx prints a progress indicator before the JSON.
  t.like(JSON.parse(/\{.*\}/s.exec(asJson?.output ?? '')?.[0] ?? ''), {
    id: 2,
    version: '1.2.0',
    state: 'rolled-back',
  });
});

/** Runs the commands of docs/server.md, from an empty folder to an updated device and a backup. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { actsOf } from '../../docs/acts.ts';
import { outputOf, pageFollower, type Settled } from '../newcomer/follow-page.ts';
import { makePlace } from '../newcomer/place.ts';

const page = 'server.md';
const image = '.pio/build/d1_mini/firmware.bin';

const settled: readonly Settled[] = [
  {
    heading: 'Set up a server and a device',
    command: 'npx ota-hooks server devices list door',
    until: /up-to-date: Runs 1\.0\.1, identified by sketch MD5\./,
  },
  {
    heading: 'HTTPS',
    command: 'npx ota-hooks server devices list door',
    until: /up-to-date: Runs 1\.0\.1, identified by sketch MD5\./,
  },
];

test.serial('every command of docs/server.md has the result that the page shows', async (t) => {
  const place = await makePlace(t);
  const { follow } = pageFollower(t, place, page, settled);
  const first = await follow('Set up a server and a device', async (act, count) => {
    if (act.act !== 'run' || act.command !== 'pio run' || count !== 2) return;
    const source = await place.read('src/main.cpp');
    await place.write('src/main.cpp', source.replace('"network"', '"another network"'));
  });
  const builds = outputOf(first, /^pio run$/);
  t.regex(builds, /Signed binary: .*firmware\.bin\.signed/);
  t.notRegex(builds, /Published/);
  t.regex(
    outputOf(first, /publish$/),
    /Published door 1\.0\.0 \(sketch, d1_mini\) on stable[\s\S]*Published door 1\.0\.1/,
  );

  const published = await follow('Publish builds');
  t.regex(outputOf(published, /publish/), /door 1\.0\.1 .* is already published on stable/);
  t.regex(outputOf(published, /tokens create/), /ota_/);

  await cp(join(place.folder, image), join(place.folder, 'door-0.9.bin'));
  t.regex(outputOf(await follow('Recognize older builds'), /--reference/), /reference build door 0\.9/);

  const reverted = await follow('Find and undo failed updates');
  t.regex(outputOf(reverted, /releases list/), /1\.0\.0 .* stable/);
  t.notRegex(outputOf(reverted, /releases list/), /1\.0\.1 .* stable/);

  await follow('Restrict access');
  t.regex(
    outputOf(await follow('Replace a PHP update script'), /devices import .* --preview/),
    /18:FE:AA:AA:AA:AA +door +DOOR-7-g14f53a19\.bin +1\.0\.0 \(firmware\.bin\.signed\)/,
  );
  t.regex(
    outputOf(await follow('Import devices'), /--label north/),
    /back door[\s\S]*front door|front door[\s\S]*back door/,
  );
  t.regex(outputOf(await follow('Work with sets of devices'), /retry/), /Cleared the failed updates of \d+ devices?/);
  t.regex(outputOf(await follow('HTTPS'), /publish/), /Published door 1\.0\.1 .*https:\/\/localhost/);

  await follow('Publish to a folder');
  t.truthy(await place.read('www/door/@stable/firmware.bin.signed'));
  await follow('Operate the server');
  await follow('Upgrade and go back');
});

test.serial('the arduino-cli section of docs/server.md publishes a build', async (t) => {
  const place = await makePlace(t);
  const { follow } = pageFollower(t, place, page, settled);
  const needed = /^(?:npm |npx ota-hooks serve |export )/;
  for (const act of actsOf(page, 'Set up a server and a device')) {
    if (act.act === 'run' && needed.test(act.command)) await place.follow(act);
  }
  const runs = await follow('Use arduino-cli');
  t.regex(outputOf(runs, /publish/), /Published door 1\.0\.0 \(sketch, d1_mini\) on stable/);
});

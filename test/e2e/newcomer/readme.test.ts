/** Runs each setup section of README.md separately. */
import test from 'ava';
import { actsOf, sectionsOf } from '../../docs/acts.ts';
import { readPage } from '../../docs/pages.ts';
import { makePlace, type Place, type Run } from './place.ts';

type Context = Parameters<typeof makePlace>[0];

async function run(t: Context, place: Place, command: string): Promise<Run> {
  const done = await place.follow({ act: 'run', command });
  t.is(done?.exitCode, 0, `${command}\n${done?.output}`);
  return done ?? t.fail();
}

async function runSection(t: Context, place: Place, heading: string): Promise<string> {
  const section = sectionsOf('README.md').find((each) => each.heading === heading);
  const shown: string[] = [];
  for (const act of section?.acts ?? []) if (act.act === 'run') shown.push((await run(t, place, act.command)).output);
  t.true(shown.length > 1, heading);
  return shown.join('\n');
}

/** Saves the sketch or the project with which docs/start.md begins. */
async function saveSources(place: Place, heading: string): Promise<void> {
  for (const act of actsOf('start.md', heading)) if (act.act === 'save') await place.follow(act);
}

test.serial('the PlatformIO setup in README.md builds signed firmware', async (t) => {
  const place = await makePlace(t);
  await saveSources(place, 'PlatformIO');
  await runSection(t, place, 'Set up PlatformIO');
  const shown = readPage('README.md').blocks.find(({ language }) => language === 'ini')?.body ?? '';
  await place.write('platformio.ini', `${await place.read('platformio.ini')}\n${shown}`);
  const { output } = await run(t, place, 'pio run');
  t.regex(output, /Enabling binary signing/);
  t.regex(output, /Signed binary: .*firmware\.bin\.gz\.signed/);
});

test.serial('the arduino-cli setup in README.md builds signed firmware', async (t) => {
  const place = await makePlace(t);
  await saveSources(place, 'arduino-cli');
  await run(t, place, 'cd door');
  const output = await runSection(t, place, 'Set up arduino-cli');
  t.regex(output, /Enabling binary signing/);
  t.regex(output, /Signed binary: .*door\.ino\.bin\.gz\.signed/);
  const shown = [...readPage('README.md').text.matchAll(/^Signed binary: (\S+)$/gm)].map(([, path = '']) => path);
  t.is(shown.length, 2);
  for (const path of shown) t.not(await place.read(`door/${path}`), '', 'README.md shows where the files are');
});

test.serial('the Arduino IDE 2 setup in README.md builds signed firmware', async (t) => {
  const place = await makePlace(t);
  await saveSources(place, 'arduino-cli');
  await runSection(t, place, 'Set up the Arduino IDE 2');
  await run(t, place, 'cd door');
  await run(t, place, 'ota-hooks keygen');
  const { output } = await run(t, place, 'arduino-cli compile --fqbn esp8266:esp8266:d1_mini .');
  t.regex(output, /Signed binary: .*door\.ino\.bin\.gz\.signed/);
});

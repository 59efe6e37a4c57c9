import test from 'ava';
import { arduinoBoard } from '../../../src/project/build/arduino-board.ts';
import { builtSketch } from '../../support/built-sketch.ts';
import { runCommand } from '../../support/run-command.ts';
import { testFolder } from '../../support/test-folder.ts';

const note = (fqbn: unknown) => JSON.stringify({ fqbn, sketchLocation: '/home/ada/door' });

test('the board of an arduino-cli build is the third part of the FQBN', async (t) => {
  for (const [text, board] of [
    [note('esp8266:esp8266:d1_mini'), 'd1_mini'],
    [note('esp8266:esp8266:nodemcuv2:eesz=4M2M,xtal=160'), 'nodemcuv2'],
    [note('esp8266:esp8266'), undefined],
    [note('esp8266:esp8266:a b'), undefined],
    [note(7), undefined],
    ['[', undefined],
    ['null', undefined],
  ] as const) {
    const folder = await testFolder(t, { 'build.options.json': text });
    t.is(await arduinoBoard(folder.path), board, text);
  }
  t.is(await arduinoBoard((await testFolder(t)).path), undefined);
});

test('pack writes the board of an arduino-cli build into the manifest, unless an option or the configuration names one', async (t) => {
  const folder = await builtSketch(t, { 'build/build.options.json': note('esp8266:esp8266:d1_mini') });
  const board = async (...options: string[]) => {
    const { error } = await runCommand(['pack', 'build/door.ino.bin', ...options], { cwd: folder.path });
    t.is(error, undefined);
    return JSON.parse(await folder.text('build/door.ino.bin.ota.json')).board;
  };
  t.is(await board(), 'd1_mini');
  t.is(await board('--board', 'nodemcuv2'), 'nodemcuv2');
  await folder.write('ota.config.json', '{"board": "oak"}');
  t.is(await board(), 'oak');
});

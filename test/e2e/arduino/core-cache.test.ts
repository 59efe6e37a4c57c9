import test from 'ava';
import { headerHook, packHook } from '../../../src/project/build/arduino-hooks.ts';
import {
  allArtifacts,
  artifactsOf,
  cli,
  isSignedWith,
  makeKeys,
  makeWorkplace,
  placeKeys,
  willVerify,
} from './workplace.ts';

const keys = makeKeys();

/** Both hooks as a user might write them by hand, without the cache salt of `ota-hooks build`. */
const header = `"${process.execPath}" "${cli}" header --source "{build.source.path}" --out "{build.path}/core/Updater_Signing.h"`;
const pack = `"${process.execPath}" "${cli}" pack "{build.path}/{build.project_name}.bin" --source "{build.source.path}"`;
const handMade = ['--build-property', `${headerHook}=${header}`, '--build-property', `${packHook}=${pack}`];

test.serial('fails a signed build that reuses an unsigned cached core because the hooks set no salt', async (t) => {
  const workplace = await makeWorkplace(t);
  const [unsigned, signed] = [await workplace.sketch('lamp'), await workplace.sketch('door')];
  await placeKeys(signed, keys);

  t.is((await workplace.compile(unsigned, ...handMade)).exitCode, 0);
  const run = await workplace.compile(signed, ...handMade);

  t.is(run.exitCode, 1);
  t.regex(run.output, /Enabling binary signing/);
  t.regex(
    run.output,
    /error\[\w+\]: .*door\.ino\.bin contains the public key, but according to .*door\.ino\.elf the Updater does not use the key/,
  );
  t.regex(run.output, /core cache/);
  const image = await workplace.image(signed);
  t.deepEqual(await artifactsOf(image), []);
  t.false(await willVerify(image, keys));
});

test.serial('the salt of `ota-hooks build` separates the cached cores of signed and unsigned sketches', async (t) => {
  const workplace = await makeWorkplace(t);
  const [unsigned, signed] = [await workplace.sketch('lamp'), await workplace.sketch('door')];
  await placeKeys(signed, keys);

  t.is((await workplace.compile(unsigned)).exitCode, 0, 'compiled with arduino-cli alone');
  t.is((await workplace.build(unsigned)).exitCode, 0);
  const run = await workplace.build(signed);

  t.is(run.exitCode, 0, run.output);
  const image = await workplace.image(signed);
  t.deepEqual(await artifactsOf(image), allArtifacts);
  t.true(await isSignedWith(`${image}.signed`, keys));
  t.true(await willVerify(image, keys));

  // Conversely, an unsigned sketch must not use a core that requires signatures.
  const lamp = await workplace.sketch('lamp2');
  t.is((await workplace.build(lamp)).exitCode, 0);
  t.false(await willVerify(await workplace.image(lamp), keys));
});

test.serial('two sketches with the same key share one cached core', async (t) => {
  const workplace = await makeWorkplace(t);
  const [door, gate] = [await workplace.sketch('door'), await workplace.sketch('gate')];
  for (const sketch of [door, gate]) await placeKeys(sketch, keys);

  t.is((await workplace.build(door)).exitCode, 0);
  const run = await workplace.build(gate, '--verbose');

  t.is(run.exitCode, 0, run.output);
  t.regex(run.output, /Using precompiled core/);
  t.true(await willVerify(await workplace.image(gate), keys));
});

test.serial('arduino-cli without the hooks builds unsigned firmware again after a signed build', async (t) => {
  const workplace = await makeWorkplace(t);
  const sketch = await workplace.sketch('door');
  await placeKeys(sketch, keys);
  t.is((await workplace.build(sketch)).exitCode, 0);

  const run = await workplace.compile(sketch);

  t.is(run.exitCode, 0, run.output);
  t.false(await willVerify(await workplace.image(sketch), keys));
});

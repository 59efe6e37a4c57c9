/** Tests with a real arduino-cli that sketch names with quotes, spaces and dashes do not add arguments to the hooks. */
import test from 'ava';
import { allArtifacts, artifactsOf, isSignedWith, makeKeys, makeWorkplace, placeKeys } from './workplace.ts';

const keys = makeKeys();

test("rejects a sketch name that would end a quoted argument in the core's build commands", async (t) => {
  const workplace = await makeWorkplace(t);
  const sketch = await workplace.sketch('door" --unsigned "x');
  await placeKeys(sketch, keys);
  t.regex((await workplace.build(sketch)).output, /error\[HOOK_ARGUMENT_INVALID\]/);
  t.is((await workplace.run('install', 'arduino')).exitCode, 0);
  t.not((await workplace.compile(sketch)).exitCode, 0);
});

for (const name of ["door' --compression 'none", '--unsigned', 'two words']) {
  test(`signs a sketch named ${name}, with the IDE hooks and with \`ota-hooks build\``, async (t) => {
    const workplace = await makeWorkplace(t);
    const sketch = await workplace.sketch(name);
    await placeKeys(sketch, keys);
    const built = await workplace.build(sketch);
    t.is(built.exitCode, 0, built.output);
    t.deepEqual(await artifactsOf(await workplace.image(sketch)), [...allArtifacts], 'signed by ota-hooks build');
    t.is((await workplace.run('install', 'arduino')).exitCode, 0);
    const compiled = await workplace.compile(sketch);
    t.is(compiled.exitCode, 0, compiled.output);
    const image = await workplace.image(sketch);
    t.deepEqual(await artifactsOf(image), [...allArtifacts], compiled.output);
    t.true(await isSignedWith(`${image}.gz.signed`, keys));
  });
}

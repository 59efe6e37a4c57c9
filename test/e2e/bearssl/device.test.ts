/** Checks the header and the signatures with the real BearSSL, called as the device calls it. */
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import fc from 'fast-check';
import { loadPublicKey } from '../../../src/project/keys/key-files.ts';
import { builtSketch, fullDoor } from '../../support/built-sketch.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { runCommand } from '../../support/run-command.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';
import { buildDevice, type Device, type Harm } from './device.ts';

const header = 'core/Updater_Signing.h';

async function run(t: ExecutionContext, folder: TestFolder, ...argv: string[]): Promise<void> {
  const { exitCode, stderr } = await runCommand(argv, { cwd: folder.path });
  t.is(exitCode, 0, stderr);
}

/** A folder with a new key pair and a small signed file, and a device built with the key. */
async function project(t: ExecutionContext, bits: number): Promise<{ folder: TestFolder; device: Device }> {
  const { privatePem, publicPem } = rsaPems(bits);
  const folder = await testFolder(t, {
    'private.key': privatePem,
    'public.key': publicPem,
    payload: 'a very small firmware',
  });
  await run(t, folder, 'header', '--public-key', 'public.key', '--out', header);
  await run(
    t,
    folder,
    'sign',
    '--private-key',
    'private.key',
    '--bin',
    'payload',
    '--out',
    'signed',
    '--legacy',
    'legacy',
  );
  return { folder, device: await buildDevice(folder, header) };
}

for (const bits of [1024, 1032, 2048, 3072, 4096]) {
  test(`a device with RSA-${bits} reads the key from the header and accepts only matching signatures`, async (t) => {
    const { folder, device } = await project(t, bits);
    const { modulus } = await loadPublicKey(folder.at('public.key'));
    t.is(device.key, `RSA ${bits} ${Buffer.from(modulus).toString('hex')}`);
    t.deepEqual(await device.runRules('signed', ['whole']), ['accepted']);
    t.deepEqual(await device.runRules('legacy', ['whole']), ['refused']);
    t.deepEqual(await device.runRules('legacy', ['whole'], 'legacy'), ['accepted']);
    t.deepEqual(await device.runRules('signed', ['whole'], 'legacy'), ['refused']);
    t.deepEqual(await device.runRules('payload', ['whole']), ['refused']);
  });
}

test('a device rejects a file signed with a different key', async (t) => {
  const [one, two] = await Promise.all([project(t, 2048), project(t, 2048)]);
  await one.folder.write('other', await two.folder.read('signed'));
  t.deepEqual(await one.device.runRules('other', ['whole']), ['refused']);
  t.deepEqual(await one.device.runRules('signed', ['whole']), ['accepted']);
});

test('a device rejects a file with any single bit flipped, in the payload, the signature or its length', async (t) => {
  const { folder, device } = await project(t, 1024);
  const size = (await folder.read('signed')).length;
  const verdicts = await device.runRules(
    'signed',
    Array.from({ length: size * 8 }, (_, bit): Harm => `flip ${bit}`),
  );
  t.is(verdicts.length, size * 8);
  t.deepEqual(
    verdicts.filter((verdict) => verdict !== 'refused'),
    [],
  );
});

test('a device rejects a file truncated by any number of bytes', async (t) => {
  const { folder, device } = await project(t, 2048);
  const size = (await folder.read('signed')).length;
  const verdicts = await device.runRules(
    'signed',
    Array.from({ length: size }, (_, bytes): Harm => `cut ${bytes + 1}`),
  );
  t.is(verdicts.length, size);
  t.deepEqual(
    verdicts.filter((verdict) => verdict !== 'refused'),
    [],
  );
});

test('a device accepts the artifacts of a build and rejects them with a random bit flipped', async (t) => {
  const folder = await builtSketch(t, {}, fullDoor);
  await run(t, folder, 'header', '--public-key', 'public.key', '--out', header);
  await run(t, folder, 'pack', 'build/door.ino.bin', '--legacy');
  const device = await buildDevice(folder, header);
  for (const [name, core] of [
    ['build/door.ino.bin.signed', 'current'],
    ['build/door.ino.bin.gz.signed', 'current'],
    ['build/door.ino.bin.legacy_sig', 'legacy'],
  ] as const) {
    t.deepEqual(await device.runRules(name, ['whole'], core), ['accepted'], name);
    const bits = (await folder.read(name)).length * 8;
    const flips = fc.uniqueArray(
      fc.nat(bits - 1).map((bit): Harm => `flip ${bit}`),
      { minLength: 30, maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(flips, async (harms) =>
        (await device.runRules(name, harms, core)).every((verdict) => verdict === 'refused'),
      ),
      { numRuns: 5 },
    );
  }
});

test('detects a header without a terminating zero', async (t) => {
  const { folder } = await project(t, 2048);
  const text = await folder.text(header);
  await folder.write(`without-zero/${header}`, text.replace(/, 0x00\n\};/, '\n};'));
  const error = await t.throwsAsync(buildDevice(folder, `without-zero/${header}`, 'careless-device'));
  t.regex(error?.message ?? '', /missing terminating nul|AddressSanitizer: global-buffer-overflow/);
});

test('the header for a project without a key compiles and disables signing', async (t) => {
  const folder = await testFolder(t, {
    'main.c': '#include <Updater_Signing.h>\n#if ARDUINO_SIGNING\n#error\n#endif\nint main(void) { return 0; }\n',
  });
  await run(t, folder, 'header', '--source', '.', '--out', header);
  await execa('gcc', ['-Werror', '-I', folder.at('core'), folder.at('main.c'), '-o', folder.at('main')]);
  t.pass();
});

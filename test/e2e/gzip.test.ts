/** Interoperability with GNU gzip, in both directions. */
import test from 'ava';
import { execa } from 'execa';
import { builtSketch, fullDoor } from '../support/built-sketch.ts';
import { runCommand } from '../support/run-command.ts';

for (const compression of ['gzip', 'zopfli']) {
  test(`GNU gzip decompresses ${compression} output to the original image`, async (t) => {
    const folder = await builtSketch(t, {}, fullDoor);
    const packed = await runCommand(['pack', 'build/door.ino.bin', '--compression', compression], { cwd: folder.path });
    t.is(packed.exitCode, 0, packed.stderr);
    await execa('gzip', ['--test', folder.at('build/door.ino.bin.gz')]);
    const { stdout } = await execa('gzip', ['-dc', folder.at('build/door.ino.bin.gz')], {
      encoding: 'buffer',
      stripFinalNewline: false,
    });
    t.true(fullDoor.bin.equals(stdout));
  });
}

test('pack aligns and signs a GNU gzip image with a name and a timestamp in its header', async (t) => {
  for (const level of ['-1', '-9']) {
    const folder = await builtSketch(t, {}, fullDoor);
    await execa('gzip', [level, '--keep', '--name', folder.at('build/door.ino.bin')]);
    const packed = await runCommand(['pack', 'build/door.ino.bin.gz', '--elf', 'build/door.ino.elf'], {
      cwd: folder.path,
    });
    t.is(packed.exitCode, 0, packed.stderr);
    const payload = (await folder.read('build/door.ino.bin.gz.signed')).subarray(0, -260);
    t.is(payload.length % 4, 0);
    const { stdout } = await execa('gzip', ['-dc'], { input: payload, encoding: 'buffer', stripFinalNewline: false });
    t.true(fullDoor.bin.equals(stdout));
    t.is(
      (await runCommand(['verify', 'build/door.ino.bin.gz.signed', '--public-key', 'public.key'], { cwd: folder.path }))
        .exitCode,
      0,
    );
  }
});

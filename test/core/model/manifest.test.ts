import test from 'ava';
import { type Manifest, parseManifest } from '../../../src/core/model/manifest.ts';
import { builtSketch } from '../../support/built-sketch.ts';
import { runCommand } from '../../support/run-command.ts';

async function packed(t: Parameters<typeof builtSketch>[0]): Promise<{ manifest: Manifest; text: string }> {
  const folder = await builtSketch(t);
  await runCommand(['pack', 'build/door.ino.bin', '--quiet'], { cwd: folder.path });
  const text = await folder.text('build/door.ino.bin.ota.json');
  return { manifest: JSON.parse(text), text };
}

test('accepts only file names without a path, on every operating system', async (t) => {
  const { manifest } = await packed(t);
  const named = (file: string) =>
    parseManifest(JSON.stringify({ ...manifest, artifacts: manifest.artifacts.map((each) => ({ ...each, file })) }));
  for (const file of ['../door.bin', 'a/door.bin', '..\\door.bin', 'C:\\door.bin', 'C:door.bin', 'c:', '..', '.', '']) {
    t.true('reason' in named(file), file);
  }
  for (const file of ['door.ino.bin.signed', 'tür 2.bin', '..door.bin']) t.true('manifest' in named(file), file);
});

test('parses a manifest with CRLF line endings', async (t) => {
  const { text } = await packed(t);
  const parsed = parseManifest(text);
  t.true('manifest' in parsed);
  t.deepEqual(parseManifest(text.replaceAll('\n', '\r\n')), parsed);
});

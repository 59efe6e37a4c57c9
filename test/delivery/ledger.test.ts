import test from 'ava';
import { parseManifest } from '../../src/core/model/manifest.ts';
import { Ledger, provenFacts } from '../../src/delivery/ledger.ts';
import { packedDoor } from '../support/fleet.ts';
import { testFolder } from '../support/test-folder.ts';

const megabyte = 1024 * 1024;

async function door(t: Parameters<typeof packedDoor>[0]) {
  const folder = await packedDoor(t);
  const parsed = parseManifest(await folder.text('build/door.ino.bin.ota.json'));
  if ('reason' in parsed) throw new Error(parsed.reason);
  const { manifest } = parsed;
  const md5Of = (flashMode: string, flashSizeBytes: number) => {
    const found = manifest.image.sketchMd5s.find(
      (one) => one.flashMode === flashMode && one.flashSizeBytes === flashSizeBytes,
    );
    if (found === undefined) throw new Error('no such MD5');
    return found.md5;
  };
  return { folder, manifest, md5Of };
}

test('proves the flash mode and the build facts only with a sketch MD5 that the manifest lists', async (t) => {
  const { folder, manifest, md5Of } = await door(t);
  const { ledger } = await Ledger.open(folder.path);
  const sketchMd5 = md5Of('dout', 4 * megabyte);
  const proof = { manifest, provenBy: 'mdns', encoding: 'identity' } as const;
  t.is(await ledger.prove('kitchen', { ...proof, sketchMd5: 'f'.repeat(32) }), undefined);
  await ledger.prove('kitchen', { ...proof, sketchMd5 });

  const entry = (await Ledger.open(folder.path)).ledger.entry('kitchen');
  t.like(entry, { sketchMd5, provenBy: 'mdns', facts: { core: '3.1.2', signing: 'required', flashMode: 'dout' } });
  t.like(provenFacts(entry, sketchMd5, manifest.image), { flashMode: 'dout', chipSizeBytes: 4 * megabyte });
  t.deepEqual(
    provenFacts(entry, 'f'.repeat(32), manifest.image),
    { chipSizeBytes: 4 * megabyte },
    'a chip stays what it is',
  );
  t.deepEqual(provenFacts(entry, undefined, manifest.image), { chipSizeBytes: 4 * megabyte });
  t.deepEqual(provenFacts(undefined, sketchMd5, manifest.image), {});
});

test('proves a chip size only with a raw image, and at most the size in the image header', async (t) => {
  const { folder, manifest, md5Of } = await door(t);
  const { ledger } = await Ledger.open(folder.path);
  const proof = { manifest, provenBy: 'mdns', sketchMd5: md5Of('dio', 4 * megabyte) } as const;
  const byGzip = await ledger.prove('kitchen', { ...proof, encoding: 'gzip' });
  t.is(byGzip?.chipAtLeastBytes, undefined, 'gzip is not checked');
  const elsewhere = { ...proof, sketchMd5: md5Of('dio', megabyte), encoding: 'identity' } as const;
  t.is((await ledger.prove('kitchen', elsewhere))?.chipAtLeastBytes, undefined, 'a header that somebody changed');
  t.is((await ledger.prove('kitchen', { ...proof, encoding: 'identity' }))?.chipAtLeastBytes, 4 * megabyte);
  const later = await ledger.prove('kitchen', { ...proof, encoding: 'gzip' });
  t.is(later?.chipAtLeastBytes, 4 * megabyte, 'what was proven once of a chip stays');
  t.is(provenFacts(later, proof.sketchMd5, { flashSizeBytes: 16 * megabyte }).chipSizeBytes, undefined);
  t.is(provenFacts(later, proof.sketchMd5, { flashSizeBytes: megabyte }).chipSizeBytes, 4 * megabyte);
});

test('keeps the devices that another command proves at the same time', async (t) => {
  const { folder, manifest, md5Of } = await door(t);
  const proof = { manifest, provenBy: 'mdns', sketchMd5: md5Of('dio', 4 * megabyte), encoding: 'identity' } as const;
  const commands = await Promise.all(['kitchen', 'hall', 'attic'].map(() => Ledger.open(folder.path)));
  const proofs = commands.map(({ ledger }, index) => ledger.prove(['kitchen', 'hall', 'attic'][index] ?? '', proof));
  await Promise.all(proofs);
  t.is((await Ledger.open(folder.path)).ledger.entries.length, 3);
});

test('stores every device when several devices are proven at the same time', async (t) => {
  const { folder, manifest, md5Of } = await door(t);
  const { ledger } = await Ledger.open(folder.path);
  const names = ['127.0.0.1:8266', ...Array.from({ length: 20 }, (_, index) => `door-${index}`)];
  const proof = { manifest, provenBy: 'mdns', sketchMd5: md5Of('dio', 4 * megabyte), encoding: 'identity' } as const;
  await Promise.all(names.map((name) => ledger.prove(name, proof)));
  const { ledger: again } = await Ledger.open(folder.path);
  t.deepEqual(
    names.filter((name) => again.entry(name) === undefined),
    [],
  );
  for (const name of ['toString', '__proto__']) t.is(again.entry(name), undefined);
});

test('reports a damaged ledger and starts a new one', async (t) => {
  const folder = await testFolder(t);
  for (const text of ['{', '[]', '{"version": 2, "devices": {}}', '{"version": 1, "devices": {"a": {}}}']) {
    await folder.write('.ota/devices.json', text);
    const { ledger, damaged } = await Ledger.open(folder.path);
    t.truthy(damaged?.why, text);
    t.is(ledger.entry('a'), undefined);
  }
});

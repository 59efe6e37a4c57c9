import { cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { isSignedWith, makeWorkplace } from '../arduino/workplace.ts';
import { completeCore } from './core.ts';
import { placeSecrets, templates } from './parts.ts';

test('ManualSigning builds without hooks and packs with --declare-enforcement, as its comment describes', async (t) => {
  const workplace = await makeWorkplace(t);
  await completeCore(workplace.core);
  const sketch = join(workplace.folder, 'user', 'ManualSigning');
  await mkdir(join(sketch, 'keys'), { recursive: true });
  await cp(join(templates, 'sketches', 'ManualSigning'), sketch, { recursive: true });
  await placeSecrets(sketch);
  const at = (name: string) => join(sketch, name);
  const keys = { private: at('keys/private.key'), public: at('keys/public.key') };

  const made = await workplace.run('keygen', '--private-key', keys.private, '--public-key', keys.public);
  t.is(made.exitCode, 0, made.output);
  const header = await workplace.run('header', '--public-key', keys.public, '--out', at('signing_key.h'));
  t.is(header.exitCode, 0, header.output);
  const built = await workplace.compile(sketch, '--build-path', at('build'), '--warnings', 'all');
  t.is(built.exitCode, 0, built.output);

  const image = at('build/ManualSigning.ino.bin');
  const keyOptions = ['--public-key', keys.public, '--private-key', keys.private];
  const undeclared = await workplace.run('pack', image, ...keyOptions);
  t.is(undeclared.exitCode, 1, 'the ELF file does not show that the sketch checks signatures');
  const packed = await workplace.run('pack', image, ...keyOptions, '--declare-enforcement');
  t.is(packed.exitCode, 0, packed.output);

  const pair = { privateKey: '', publicKey: await readFile(keys.public, 'utf8') };
  t.true(await isSignedWith(`${image}.signed`, pair));
  t.true((await readFile(image)).includes(pair.publicKey.trim()));
});

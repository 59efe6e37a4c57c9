import test from 'ava';
import { flashModeMd5 as rule } from '../../../../src/core/preflight/rules/flash-mode-md5.ts';
import { blocks, isSilent, sound, warns } from '../case.ts';

const message = 'the flash mode in byte 2 is unknown: 23';
const image = { flashMode: undefined, findings: [{ id: 'flash-mode-unknown', message }] };
const facts = { signing: 'none' } as const;

test('blocks a raw sketch whose byte 2 is not a flash mode over espota and HTTP', (t) => {
  for (const transport of ['espota', 'http'] as const) {
    blocks(t, rule, { artifact: sound.raw, image, facts: { ...facts, transport } }, /byte 2 is unknown: 23.*ERROR 7/);
  }
  isSilent(t, rule, { artifact: sound.raw, image, facts: { ...facts, transport: 'web' } });
  isSilent(t, rule, { artifact: sound.gzip, image, facts });
});

test('accepts byte 255, and devices that verify signatures or do not patch the byte', (t) => {
  const erased = { flashMode: undefined, findings: [{ id: 'flash-mode-erased', message }] };
  isSilent(t, rule, { artifact: sound.raw, image: erased, facts });
  isSilent(t, rule, { artifact: sound.raw, image });
  isSilent(t, rule, { artifact: sound.raw, image, facts: { ...facts, core: '2.4.1' } });
});

test('warns if the core, the transport or the signature check is unknown', (t) => {
  for (const hidden of ['core', 'transport', 'signing']) {
    warns(t, rule, { artifact: sound.raw, image, facts: { ...facts, [hidden]: undefined } }, /ERROR 7/);
  }
});

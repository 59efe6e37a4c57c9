import test from 'ava';
import { inflateOverInput as rule } from '../../../../src/core/preflight/rules/inflate-over-input.ts';
import { blocks, isSilent, sound } from '../case.ts';

/** The web updater leaves one sector free between the current sketch and the staged bytes. */
const web = (sketchSizeBytes: number) => ({ transport: 'web', sketchSizeBytes }) as const;

test('blocks a gzip-compressed sketch that is staged one sector lower than its inflate profile allows', (t) => {
  isSilent(t, rule, { artifact: sound.gzip, facts: web(86_016 - 4096) });
  blocks(t, rule, { artifact: sound.gzip, facts: web(86_016 - 4096 - 4096) }, /staged at 81920, and below 86016/);
});

test('requires a higher staging address before core 3.0.0, where eboot erases each sector first', (t) => {
  isSilent(t, rule, { artifact: sound.gzip, facts: { core: '2.7.4', ...web(90_112 - 4096) } });
  blocks(t, rule, { artifact: sound.gzip, facts: { core: '2.7.4', ...web(86_016 - 4096) } }, /below 90112/);
});

test('allows staging at the top of the sketch area unless the area is nearly full', (t) => {
  isSilent(t, rule, { artifact: sound.gzip, facts: { sketchSizeBytes: undefined } });
  blocks(t, rule, { artifact: sound.gzip, facts: { fsStart: 0x45000 } }, /espota/);
});

test('requires the size of the running sketch unless the transport stages at the top of the sketch area', (t) => {
  blocks(
    t,
    rule,
    { artifact: sound.gzip, facts: { transport: 'web', sketchSizeBytes: undefined } },
    /size of the running sketch is unknown/,
  );
  blocks(
    t,
    rule,
    { artifact: sound.gzip, facts: { transport: undefined, sketchSizeBytes: undefined } },
    /size of the running sketch is unknown/,
  );
  isSilent(t, rule, { artifact: sound.gzip, facts: { transport: 'http', sketchSizeBytes: undefined } });
  isSilent(t, rule, { artifact: sound.raw, facts: { transport: 'web', sketchSizeBytes: undefined } });
});

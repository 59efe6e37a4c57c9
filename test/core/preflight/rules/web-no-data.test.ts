import test from 'ava';
import { webNoData as rule } from '../../../../src/core/preflight/rules/web-no-data.ts';
import { blocks, isSilent, sound, warns } from '../case.ts';

const ofSize = (sizeBytes: number) => ({ ...sound.fsGzip, sizeBytes, payloadBytes: sizeBytes });

test('blocks a web update of at most one sector, which the device rejects as "No data supplied"', (t) => {
  blocks(t, rule, { artifact: ofSize(4096), facts: { transport: 'web' } }, /4096 bytes.*ERROR 13/);
  isSilent(t, rule, { artifact: ofSize(4097), facts: { transport: 'web' } });
});

test('warns about a one-sector update if the core or the transport is unknown', (t) => {
  warns(t, rule, { artifact: ofSize(4096), facts: { transport: undefined } }, /ERROR 13/);
  warns(t, rule, { artifact: ofSize(4096), facts: { transport: 'web', core: undefined } }, /ERROR 13/);
});

test('allows a one-sector update over espota, over HTTP, and on core 2.7.4', (t) => {
  isSilent(t, rule, { artifact: ofSize(4096), facts: { transport: 'espota' } });
  isSilent(t, rule, { artifact: ofSize(4096), facts: { transport: 'http' } });
  isSilent(t, rule, { artifact: ofSize(4096), facts: { transport: 'web', core: '2.7.4' } });
});

import test from 'ava';
import { guardStart as rule } from '../../../../src/core/preflight/rules/guard-start.ts';
import { blocks, isSilent, sound } from '../case.ts';
import { guardedCase } from '../guarded.ts';

/** The web updater leaves one sector free between the current sketch and the staged bytes. */
const web = (sketchSizeBytes: number) => ({ transport: 'web', sketchSizeBytes }) as const;

test('blocks a gzip-compressed sketch that is staged one sector below the address in its metadata', (t) => {
  isSilent(t, rule, guardedCase({}, web(90_112 - 4096)));
  blocks(t, rule, guardedCase({}, web(90_112 - 4096 - 4096)), /over web, .* at 86016, .* accepts 90112 or higher/);
});

test('leaves an address at which eboot would destroy the sketch to the rule about eboot', (t) => {
  isSilent(t, rule, { ...guardedCase({}, web(40_000)), errors: ['inflate-over-input'] });
});

test('allows a low staging address without the guard, for a raw sketch and over espota', (t) => {
  isSilent(t, rule, guardedCase({}, { ...web(40_000), guard: undefined }));
  isSilent(t, rule, guardedCase({ lowestStart: 90_112 }, web(40_000), sound.rawSigned));
  isSilent(t, rule, guardedCase({}, { ...web(40_000), transport: 'espota' }));
  isSilent(t, rule, guardedCase({}, { ...web(40_000), fsStart: undefined }));
});

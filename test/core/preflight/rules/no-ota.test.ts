import test from 'ava';
import { noOta as rule } from '../../../../src/core/preflight/rules/no-ota.ts';
import { isSilent, sound, warns } from '../case.ts';

const traces = { sdkVersions: [], updater: false, arduinoOta: false, httpUpdate: false, webUpdater: false };

test('warns about a sketch with no trace of the Updater, with and without a device', (t) => {
  warns(t, rule, { image: { traces } }, /no trace of the Updater.*last update/);
  warns(t, rule, { image: { traces }, facts: null }, /no trace of the Updater.*last update/);
});

test('allows a sketch with a trace of the Updater, and a filesystem image', (t) => {
  isSilent(t, rule, { image: { traces: { ...traces, updater: true } } });
  isSilent(t, rule, { image: { traces, symbols: { updater: true, filesystem: false } } });
  isSilent(t, rule, { artifact: sound.fsRaw });
});

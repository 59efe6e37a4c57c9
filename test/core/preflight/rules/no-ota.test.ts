import test from 'ava';
import { noOta as rule } from '../../../../src/core/preflight/rules/no-ota.ts';
import { isSilent, sound, warns } from '../case.ts';

const traces = { sdkVersions: [], updater: false, arduinoOta: false, httpUpdate: false, webUpdater: false };

test('a sketch without a trace of the Updater is a warning, with a device and without one', (t) => {
  warns(t, rule, { image: { traces } }, /no trace of the Updater.*last update/);
  warns(t, rule, { image: { traces }, facts: null }, /no trace of the Updater.*last update/);
});

test('one with the Updater passes, and so does a filesystem', (t) => {
  isSilent(t, rule, { image: { traces: { ...traces, updater: true } } });
  isSilent(t, rule, { artifact: sound.fsRaw });
});

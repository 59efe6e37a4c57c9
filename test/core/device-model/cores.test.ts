import test from 'ava';
import { capabilitySource, coreCapabilities } from '../../../src/core/device-model/cores.ts';

const releases = [
  ...['2.0.0', '2.1.0', '2.2.0', '2.3.0'],
  ...['2.4.0', '2.4.1', '2.4.2', '2.5.0', '2.5.1', '2.5.2', '2.6.0', '2.6.1', '2.6.2', '2.6.3'],
  ...['2.7.0', '2.7.1', '2.7.2', '2.7.3', '2.7.4', '3.0.0', '3.0.1', '3.0.2', '3.1.0', '3.1.1', '3.1.2'],
];

const of = (release: string) => {
  const capabilities = coreCapabilities(release);
  if (capabilities === undefined) throw new Error(`no capabilities for ${release}`);
  return capabilities;
};

test('returns no capabilities for a missing version, a pre-release, a git build or a core before 2.0.0', (t) => {
  for (const version of [undefined, '', 'unknown', '1.6.5', '2.5.0-beta1', '2.7.4-3-g2843a5ac', '3.1', '3.1.2 ']) {
    t.is(coreCapabilities(version), undefined, String(version));
  }
});

test('every core release from 2.0.0 on has a value for every capability', (t) => {
  for (const release of releases) {
    for (const [name, value] of Object.entries(of(release))) t.not(value, undefined, `${name} of ${release}`);
  }
});

test('a core newer than the table has the capabilities of the newest core in the table', (t) => {
  t.deepEqual(coreCapabilities('9.0.0'), coreCapabilities('3.1.3'));
});

test('cores support gzip from 2.7.0 and the current signature format from 2.6.0', (t) => {
  t.deepEqual(
    ['2.6.3', '2.7.0', '3.1.2'].map((release) => of(release).gzip),
    [false, true, true],
  );
  t.deepEqual(
    ['2.4.2', '2.5.0', '2.5.2', '2.6.0'].map((release) => of(release).signing),
    ['none', 'legacy', 'legacy', 'current'],
  );
});

test('each core bug starts and ends with the release that upstream documents', (t) => {
  const having = (name: 'crashesOnBadSignature' | 'skipsUnalignedTail' | 'comparesAfterCopy' | 'hangsOnXmcFlash') =>
    releases.filter((release) => of(release)[name]);
  t.deepEqual(having('crashesOnBadSignature'), ['2.5.0', '2.5.1', '2.5.2', '2.6.0', '2.6.1', '2.6.2', '2.6.3']);
  t.deepEqual(having('skipsUnalignedTail'), ['3.1.0', '3.1.1', '3.1.2']);
  t.deepEqual(having('comparesAfterCopy'), ['2.7.2']);
  t.deepEqual(having('hangsOnXmcFlash'), ['2.7.0']);
  t.deepEqual(
    ['2.7.4', '3.0.0'].map((release) => of(release).cutsTrailerOff),
    [false, true],
  );
});

test('the source of a capability names the upstream file and the full issue reference', (t) => {
  t.is(capabilitySource('cutsTrailerOff'), 'Updater.cpp end esp8266/Arduino#7570, esp8266/Arduino#7577');
});

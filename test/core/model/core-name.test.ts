import test from 'ava';
import { coreCapabilities } from '../../../src/core/device-model/cores.ts';
import { compareReleases, nearestRelease, readCoreName } from '../../../src/core/model/core-name.ts';
import { coreReleases } from '../../../src/core/model/core-versions.ts';
import { readDeviceFacts } from '../../../src/core/model/device-facts.ts';

test('orders core releases numerically, not as text', (t) => {
  t.true(compareReleases('2.10.0', '2.9.3') > 0);
  t.true(compareReleases('2.7.4', '3.0.0') < 0);
  t.is(compareReleases('3.1.2', '3.1.2'), 0);
});

test('reads core releases in the notations of git tags, boards managers and FQBNs', (t) => {
  for (const name of ['3.1.2', 'v3.1.2', 'V3.1.2', 'esp8266:3.1.2', 'esp8266@3.1.2', 'esp8266:esp8266@3.1.2']) {
    t.deepEqual(readCoreName(name), { release: '3.1.2', isAssumed: false }, name);
    t.deepEqual(coreCapabilities(name), coreCapabilities('3.1.2'), name);
  }
});

test("reads a vendor's core as the release that it is based on, and a newer release as itself", (t) => {
  t.deepEqual(readCoreName('2.7.4.9'), { release: '2.7.4', isAssumed: true });
  t.deepEqual(coreCapabilities('2.7.4.9'), coreCapabilities('2.7.4'));
  t.deepEqual(readCoreName('3.2.0'), { release: '3.2.0', isAssumed: true });
});

test('accepts unknown, pre-releases and builds from git as cores with unknown capabilities', (t) => {
  for (const name of ['unknown', 'Unknown', '2.5.0-beta1', '2.7.4-3-g2843a5ac', '3.1.2-dev']) {
    t.deepEqual(readCoreName(name), { release: undefined, isAssumed: false }, name);
    t.is(coreCapabilities(name), undefined, name);
  }
});

test('recognizes each release that has a git hash', (t) => {
  for (const release of coreReleases) t.not(readCoreName(release), undefined, release);
});

test('rejects names that are not cores, and names the nearest release', (t) => {
  const nearest: Readonly<Record<string, string>> = {
    '2.7': '2.7.4',
    '2.7.9': '2.7.4',
    '2.8.0': '2.7.4',
    '3.1.2 ': '3.1.2',
    '3.0': '3.0.2',
    '1.6.5': '3.1.2',
    latest: '3.1.2',
    '': '3.1.2',
  };
  for (const [name, release] of Object.entries(nearest)) {
    t.is(readCoreName(name), undefined, name);
    t.is(nearestRelease(name), release, name);
  }
  t.deepEqual(readDeviceFacts({ core: '2.8.0' }), {
    problems: ['core is not a core release; the nearest release is 2.7.4'],
  });
});

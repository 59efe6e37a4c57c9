import test from 'ava';
import { coreAssumed as rule } from '../../../../src/core/preflight/rules/core-assumed.ts';
import { isSilent, warns } from '../case.ts';

test('warns if the core is based on a release, or newer than all known releases', (t) => {
  warns(t, rule, { facts: { core: '2.7.4.9' } }, /core 2\.7\.4\.9 is based on 2\.7\.4 /);
  warns(t, rule, { facts: { core: 'esp8266:2.7.4.9' } }, /is based on 2\.7\.4 /);
  warns(t, rule, { facts: { core: '3.2.0' } }, /core 3\.2\.0 is newer than all releases/);
});

test('accepts releases in any notation, and unknown cores', (t) => {
  for (const core of ['3.1.2', 'v2.7.4', 'esp8266:3.0.2', 'unknown', '2.7.4-3-g2843a5ac', undefined]) {
    isSilent(t, rule, { facts: { core } });
  }
  isSilent(t, rule, { facts: null });
});

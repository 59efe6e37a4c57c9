import test from 'ava';
import { otherProject as rule } from '../../../../src/core/preflight/rules/other-project.ts';
import { isSilent, refuses, warns } from '../case.ts';

test('another project or board is refused', (t) => {
  const release = { project: 'door', board: 'd1_mini' };
  refuses(t, rule, { release, facts: { project: 'window' } }, /door.*window/);
  refuses(t, rule, { release, facts: { board: 'esp01_1m' } }, /d1_mini.*esp01_1m/);
});

test('an image that does not say what it is for is a warning, where the device is known', (t) => {
  warns(t, rule, { facts: { project: 'door' } }, /does not name its project/);
});

test('the same passes, and so does a device of which nothing is known', (t) => {
  const release = { project: 'door', board: 'd1_mini' };
  isSilent(t, rule, { release, facts: { project: 'door', board: 'd1_mini' } });
  isSilent(t, rule, { release });
});

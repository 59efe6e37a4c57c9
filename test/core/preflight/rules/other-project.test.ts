import test from 'ava';
import { otherProject as rule } from '../../../../src/core/preflight/rules/other-project.ts';
import { blocks, isSilent, warns } from '../case.ts';

test('blocks an image for a different project or board', (t) => {
  const release = { project: 'door', board: 'd1_mini' };
  blocks(t, rule, { release, facts: { project: 'window' } }, /door.*window/);
  blocks(t, rule, { release, facts: { board: 'esp01_1m' } }, /d1_mini.*esp01_1m/);
});

test('warns about an image without a project name if the device has a known project', (t) => {
  warns(t, rule, { facts: { project: 'door' } }, /does not specify its project/);
});

test('allows the same project and board, and a device with an unknown project and board', (t) => {
  const release = { project: 'door', board: 'd1_mini' };
  isSilent(t, rule, { release, facts: { project: 'door', board: 'd1_mini' } });
  isSilent(t, rule, { release });
});

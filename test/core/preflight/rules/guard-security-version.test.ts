import test from 'ava';
import { guardSecurityVersion as rule } from '../../../../src/core/preflight/rules/guard-security-version.ts';
import { blocks, isSilent, sound } from '../case.ts';
import { guardedCase } from '../guarded.ts';

test('blocks an artifact whose security version is lower than that of the device', (t) => {
  blocks(t, rule, guardedCase({ securityVersion: 1 }), /security version 1, .* only 2 or higher/);
});

test('allows an artifact with the security version of the device or a higher one', (t) => {
  isSilent(t, rule, guardedCase({ securityVersion: 2 }));
  isSilent(t, rule, guardedCase({ securityVersion: 3 }, {}, sound.rawSigned));
  isSilent(t, rule, guardedCase({ securityVersion: 1 }, { guard: undefined }));
  isSilent(t, rule, guardedCase({ securityVersion: 1 }, {}, sound.gzip));
});

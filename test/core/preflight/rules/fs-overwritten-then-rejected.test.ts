import test from 'ava';
import { fsOverwrittenThenRejected as rule } from '../../../../src/core/preflight/rules/fs-overwritten-then-rejected.ts';
import { runRules } from '../../../../src/core/preflight/run-rules.ts';
import { blocks, device, isSilent, releaseOf, sound, warns } from '../case.ts';

test('warns about a filesystem image that is written in place', (t) => {
  warns(t, rule, { artifact: sound.fsRawSigned }, /written in place/);
  warns(t, rule, { artifact: sound.fsRawSigned, facts: { atomicFs: undefined } }, /written in place/);
});

test('blocks a filesystem image if another rule predicts that the device will write and then reject it', (t) => {
  blocks(t, rule, { artifact: sound.fsRaw, errors: ['unsigned-to-signed'] }, /unsigned-to-signed/);
  warns(t, rule, { artifact: sound.fsRaw, errors: ['no-space'] }, /written in place/);
});

test('allows a filesystem image with ATOMIC_FS_UPDATE, and a sketch, which is always staged', (t) => {
  isSilent(t, rule, { artifact: sound.fsRaw, facts: { atomicFs: true }, errors: ['unsigned-to-signed'] });
  isSilent(t, rule, { errors: ['wrong-key'] });
});

test('passes the blocking rules to the rule fs-overwritten-then-rejected', (t) => {
  const release = releaseOf(sound.fsRaw);
  const findings = runRules({ release, artifact: sound.fsRaw, facts: device });
  t.deepEqual(
    findings.filter(({ severity }) => severity === 'error').map(({ rule: id }) => id),
    ['unsigned-to-signed', 'fs-overwritten-then-rejected'],
  );
});

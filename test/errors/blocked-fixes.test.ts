import test from 'ava';
import { OtaError } from '../../src/errors/ota-error.ts';

type Blocked = OtaError<'UPDATE_BLOCKED'>['fields']['blockedBy'][number];

const finding = (rule: string, fix: string, artifact?: string): Blocked => ({
  rule,
  message: 'message',
  fix,
  artifact,
});

function fixesOf(...blockedBy: Blocked[]): string {
  return new OtaError('UPDATE_BLOCKED', { path: 'door.bin', blockedBy }).hint.replace(/ Pass --allow .*/, '');
}

test('lists the fix for each blocking rule as a separate sentence', (t) => {
  const fixes = fixesOf(
    finding('wrong-key', 'sign with the key of the device', 'door.bin.signed'),
    finding('no-space', 'send a smaller sketch first', 'door.bin.signed'),
    finding('other-project', 'send the build of the project', 'door.bin.signed'),
  );
  t.is(fixes, 'Sign with the key of the device. Send a smaller sketch first. Send the build of the project.');
});

test('joins the fixes of one rule for several artifacts with "or"', (t) => {
  const fixes = fixesOf(
    finding('no-space', 'compress the update', 'door.bin'),
    finding('no-space', 'send a smaller sketch first', 'door.bin.gz'),
  );
  t.is(fixes, 'Compress the update, or send a smaller sketch first.');
});

test('lists the fixes of one rule for several devices as separate sentences', (t) => {
  t.is(
    fixesOf(finding('flash-size', 'build for 1m'), finding('flash-size', 'build for 4m')),
    'Build for 1m. Build for 4m.',
  );
});

test('lists a fix only once if several rules share it', (t) => {
  t.is(fixesOf(finding('wrong-key', 'sign again', 'a'), finding('format-boundary', 'sign again', 'a')), 'Sign again.');
});

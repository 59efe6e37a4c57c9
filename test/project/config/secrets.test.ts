import test from 'ava';
import type { ProjectTrust } from '../../../src/core/model/secret-policy.ts';
import { projectTrust } from '../../../src/project/config/project-trust.ts';
import { readSecret } from '../../../src/project/config/secrets.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';
import { noWords } from '../../support/user-words.ts';

type Source = { env: string } | { file: string };

const request = (source: Source) =>
  ({ use: 'passphrase', source, speaker: 'command-line', purpose: 'the passphrase' }) as const;

function trustIn({ path }: TestFolder): ProjectTrust {
  return projectTrust([path, path], path, noWords);
}

test('readSecret reads an environment variable, or a file without its final line break', async (t) => {
  const folder = await testFolder(t, { unix: 'open sesame\n', windows: 'open sesame\r\n', bare: ' open  sesame ' });
  const read = (source: Source) => readSecret(request(source), folder.path, { S: 'open sesame' }, trustIn(folder));
  t.is(await read({ env: 'S' }), 'open sesame');
  t.is(await read({ file: 'unix' }), 'open sesame');
  t.is(await read({ file: 'windows' }), 'open sesame');
  t.is(await read({ file: 'bare' }), ' open  sesame ');
});

test('readSecret reports where a missing secret was expected', async (t) => {
  const folder = await testFolder(t);
  for (const env of [{}, { S: '' }]) {
    const error = await expectOtaError(t, 'SECRET_MISSING', () =>
      readSecret(request({ env: 'S' }), folder.path, env, trustIn(folder)),
    );
    t.is(error.exitCode, 2);
    t.regex(error.message, /^The environment variable S is not set: it must contain the passphrase$/);
  }
  const error = await expectOtaError(t, 'FILE_UNREADABLE', () =>
    readSecret(request({ file: 'none' }), folder.path, {}, trustIn(folder)),
  );
  t.true(error.message.includes(folder.at('none')));
});

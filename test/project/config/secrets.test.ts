import test from 'ava';
import { readSecret } from '../../../src/project/config/secrets.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { testFolder } from '../../support/test-folder.ts';

test('readSecret reads an environment variable, or a file without its final line break', async (t) => {
  const folder = await testFolder(t, { unix: 'open sesame\n', windows: 'open sesame\r\n', bare: ' open  sesame ' });
  const read = (source: { env: string } | { file: string }) =>
    readSecret(source, folder.path, { S: 'open sesame' }, 'the passphrase');
  t.is(await read({ env: 'S' }), 'open sesame');
  t.is(await read({ file: 'unix' }), 'open sesame');
  t.is(await read({ file: 'windows' }), 'open sesame');
  t.is(await read({ file: 'bare' }), ' open  sesame ');
});

test('readSecret reports where a missing secret was expected', async (t) => {
  const folder = await testFolder(t);
  for (const env of [{}, { S: '' }]) {
    const error = await expectOtaError(t, 'SECRET_MISSING', () =>
      readSecret({ env: 'S' }, folder.path, env, 'the passphrase'),
    );
    t.is(error.exitCode, 2);
    t.regex(error.message, /^The environment variable S is not set: it must contain the passphrase$/);
  }
  const error = await expectOtaError(t, 'FILE_UNREADABLE', () =>
    readSecret({ file: 'none' }, folder.path, {}, 'the passphrase'),
  );
  t.true(error.message.includes(folder.at('none')));
});

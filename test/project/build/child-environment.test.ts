/** What programs that this tool starts see of the user's environment. */
import test from 'ava';
import { buildEnvironment, queryEnvironment } from '../../../src/project/build/child-environment.ts';

const secrets = {
  OTA_PASSPHRASE: 'secret',
  OTA_PRIVATE_KEY: '-----BEGIN PRIVATE KEY-----',
  OTA_TOKEN: 'token',
  DOOR_PASSWORD: 'secret',
  PLATFORMIO_AUTH_TOKEN: 'token',
  PASSPHRASE_OF_HOME: 'secret',
};

test('a program that is only asked something sees no secret, however its variable is called', (t) => {
  const known = { HOME: '/home/jo', LANG: 'C.UTF-8', LC_ALL: 'C', PLATFORMIO_CORE_DIR: '/pio' };
  t.deepEqual(queryEnvironment({ ...secrets, ...known, PATH: '/bin' }, 'linux'), { ...known, PATH: '/bin' });
});

test('nothing that makes a program run or load other code is passed to one that is only asked something', (t) => {
  const loaders = {
    NODE_OPTIONS: '--require ./trap.cjs',
    PYTHONPATH: '.',
    PYTHONSTARTUP: 'trap.py',
    LD_PRELOAD: './trap.so',
    LD_LIBRARY_PATH: '',
    PLATFORMIO_EXTRA_SCRIPTS: 'pre:trap.py',
    BASH_ENV: 'trap.sh',
    GIT_EXTERNAL_DIFF: './trap',
  };
  t.deepEqual(queryEnvironment({ ...loaders, PATH: '/bin' }, 'linux'), { PATH: '/bin' });
});

test('a build sees what its hooks need, and a PATH without entries that depend on the current folder', (t) => {
  t.deepEqual(buildEnvironment({ ...secrets, PATH: '.:/usr/bin::bin:/bin:' }, 'linux'), {
    ...secrets,
    PATH: '/usr/bin:/bin',
  });
});

test('there is no PATH rather than an empty one, which would mean the current folder', (t) => {
  for (const path of [undefined, '', ':', '.', 'bin:.'])
    t.deepEqual(buildEnvironment({ PATH: path }, 'linux'), {}, path);
});

test('on Windows the variables are found in any case, and cmd.exe leaves the current folder out', (t) => {
  const env = { Path: '.;C:\\Windows;C:bin;"C:\\a;b"', SystemRoot: 'C:\\Windows', Ota_Token: 'token' };
  t.deepEqual(queryEnvironment(env, 'win32'), {
    PATH: 'C:\\Windows;"C:\\a;b"',
    SystemRoot: 'C:\\Windows',
    NoDefaultCurrentDirectoryInExePath: '1',
  });
});

/** Tests which part of the user's environment is passed to child processes. */
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

test('queryEnvironment removes secrets under any variable name', (t) => {
  const known = { HOME: '/home/jo', LANG: 'C.UTF-8', LC_ALL: 'C', PLATFORMIO_CORE_DIR: '/pio' };
  t.deepEqual(queryEnvironment({ ...secrets, ...known, PATH: '/bin' }, 'linux'), { ...known, PATH: '/bin' });
});

test('queryEnvironment removes variables that make a program load other code', (t) => {
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

test('buildEnvironment keeps secrets for the hooks and removes relative PATH entries', (t) => {
  t.deepEqual(buildEnvironment({ ...secrets, PATH: '.:/usr/bin::bin:/bin:' }, 'linux'), {
    ...secrets,
    PATH: '/usr/bin:/bin',
  });
});

test('buildEnvironment omits PATH if it would be empty, because an empty PATH means the current folder', (t) => {
  for (const path of [undefined, '', ':', '.', 'bin:.'])
    t.deepEqual(buildEnvironment({ PATH: path }, 'linux'), {}, path);
});

test('queryEnvironment matches variables in any case and excludes the current folder on Windows', (t) => {
  const env = { Path: '.;C:\\Windows;C:bin;"C:\\a;b"', SystemRoot: 'C:\\Windows', Ota_Token: 'token' };
  t.deepEqual(queryEnvironment(env, 'win32'), {
    PATH: 'C:\\Windows;"C:\\a;b"',
    SystemRoot: 'C:\\Windows',
    NoDefaultCurrentDirectoryInExePath: '1',
  });
});

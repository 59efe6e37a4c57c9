import test from 'ava';
import { loadConfig } from '../../../src/project/config/load.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { testFolder } from '../../support/test-folder.ts';
import { noWords } from '../../support/user-words.ts';

const wrong: Readonly<Record<string, { readonly config: string; readonly problem: RegExp }>> = {
  'an unknown key in a device entry': {
    config: '{"devices": {"kitchen": {"address": "10.0.0.1", "pasword": {"env": "X"}}}}',
    problem: /devices\.kitchen\.pasword is not a known key/,
  },
  'a plain-text password': {
    config: '{"devices": {"kitchen": {"address": "10.0.0.1", "password": "secret"}}}',
    problem: /devices\.kitchen\.password must be \{"env": "NAME"\}/,
  },
  'a device without an address': { config: '{"devices": {"kitchen": {}}}', problem: /devices\.kitchen\.address/ },
  'an address that contains a port': {
    config: '{"devices": {"kitchen": {"address": "10.0.0.1:8266"}}}',
    problem: /devices\.kitchen\.address must be an IPv4 address or a name/,
  },
  'a device name that contains a comma': {
    config: '{"devices": {"kitchen,cellar": {"address": "10.0.0.1"}}}',
    problem: /is not a valid device name/,
  },
  'reserved device names': {
    config: '{"devices": {"constructor": {"address": "10.0.0.1"}, "__proto__": {"address": "10.0.0.2"}}}',
    problem: /devices\.__proto__ is not a valid device name; devices\.constructor is not a valid device name/,
  },
  'two devices with the same address': {
    config: '{"devices": {"a": {"address": "Kitchen.local"}, "b": {"address": "kitchen.local"}}}',
    problem: /devices\.b has the same address as devices\.a/,
  },
  'an unknown device fact': {
    config: '{"devices": {"a": {"address": "10.0.0.1", "facts": {"transport": "espota"}}}}',
    problem: /devices\.a\.facts\.transport is not a known key/,
  },
  'a filesystem that ends before it starts': {
    config: '{"devices": {"a": {"address": "10.0.0.1", "facts": {"fsStart": 8192, "fsEnd": 4096}}}}',
    problem: /devices\.a\.facts\.fsEnd is before fsStart/,
  },
  'an upload setting that is not an object': { config: '{"upload": 3}', problem: /upload must be/ },
  'a concurrency of zero': {
    config: '{"upload": {"concurrency": 0}}',
    problem: /upload\.concurrency must be a positive integer/,
  },
  'a device list that is an array': { config: '{"devices": [{"address": "10.0.0.1"}]}', problem: /devices/ },
};

for (const [what, { config, problem }] of Object.entries(wrong)) {
  test(`loadConfig rejects ${what} and reports the path`, async (t) => {
    const folder = await testFolder(t, { 'ota.config.json': config });
    const error = await expectOtaError(t, 'CONFIG_INVALID', () => loadConfig(folder.path, undefined, noWords));
    t.regex(error.message, problem);
    t.false(error.message.includes('secret"'));
  });
}

test('loadConfig reports all errors of all devices together', async (t) => {
  const devices = {
    a: { address: '' },
    b: { address: '10.0.0.1', port: 0 },
    c: { address: '10.0.0.1', group: 3, x: 1 },
  };
  const folder = await testFolder(t, { 'ota.config.json': JSON.stringify({ devices }) });
  const { message } = await expectOtaError(t, 'CONFIG_INVALID', () => loadConfig(folder.path, undefined, noWords));
  for (const place of ['a.address', 'b.port', 'c.group', 'c.x']) t.true(message.includes(`devices.${place}`), message);
});

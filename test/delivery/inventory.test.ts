import test from 'ava';
import { type ConnectionOptions, chooseTargets, type TargetSelection } from '../../src/delivery/inventory.ts';
import type { Config } from '../../src/project/config/schema.ts';
import { expectOtaError } from '../support/expected-error.ts';

const config: Config = {
  project: 'door',
  devices: {
    kitchen: { address: '10.0.0.1', board: 'd1_mini', group: 'inside', facts: { core: '3.1.2' } },
    cellar: { address: 'cellar.local', method: 'web', group: 'below', password: { env: 'CELLAR' } },
  },
  upload: { method: 'espota', port: 8267, password: { prompt: true }, user: 'root' },
};

function choose(selection: Partial<TargetSelection>, connection: ConnectionOptions = {}, of: Config = config) {
  return chooseTargets(of, { hosts: [], ...selection }, connection);
}

test('selects the whole inventory with `all` and part of it with `group`', (t) => {
  t.deepEqual(
    choose({ all: true }).map(({ name }) => name),
    ['kitchen', 'cellar'],
  );
  t.deepEqual(
    choose({ group: 'below' }).map(({ name }) => name),
    ['cellar'],
  );
});

test('prefers device settings over configuration settings, and both over the defaults', (t) => {
  const [kitchen, cellar] = choose({ all: true });
  t.like(kitchen, { method: 'espota', host: '10.0.0.1', port: 8267, password: { prompt: true }, user: 'root' });
  t.like(cellar, { method: 'web', host: 'cellar.local', port: 80, password: { env: 'CELLAR' } });
  t.like(choose({ hosts: ['10.9.9.9'] }, {}, {})[0], { method: 'espota', port: 8266, password: undefined });
});

test('overrides the configuration with command-line options for every device in the run', (t) => {
  const [kitchen] = choose(
    { hosts: ['kitchen'] },
    { method: 'web', passwordEnv: 'ALL', hostIp: '10.0.0.9', hostPort: 4000 },
  );
  t.like(kitchen, { method: 'web', port: 80, password: { env: 'ALL' }, hostIp: '10.0.0.9', hostPort: 4000 });
  t.is(choose({ hosts: ['kitchen'] }, { port: 99 })[0]?.port, 99);
});

test('finds a device in the inventory by name or by address', (t) => {
  for (const host of ['kitchen', '10.0.0.1']) {
    t.like(choose({ hosts: [host] })[0], {
      name: 'kitchen',
      facts: { core: '3.1.2', board: 'd1_mini', project: 'door', transport: 'espota' },
    });
  }
});

test('identifies an unlisted device by its address and assumes no facts about it', (t) => {
  const [stranger] = choose({ hosts: ['10.0.0.7:8266'] });
  t.like(stranger, { name: '10.0.0.7:8266', port: 8266 });
  t.deepEqual({ ...stranger?.facts }, { project: undefined, board: undefined, transport: 'espota' });
});

test('selects each device only once', (t) => {
  t.is(choose({ hosts: ['kitchen', '10.0.0.1', 'kitchen'] }).length, 1);
});

test('rejects an empty or contradictory selection and lists the existing groups for an unknown group', async (t) => {
  await expectOtaError(t, 'OPTION_MISSING', () => choose({}));
  await expectOtaError(t, 'INVENTORY_EMPTY', () => choose({ all: true }, {}, {}));
  await expectOtaError(t, 'OPTIONS_CONFLICT', () => choose({ all: true, hosts: ['kitchen'] }));
  const error = await expectOtaError(t, 'GROUP_EMPTY', () => choose({ group: 'above' }));
  t.regex(error.message, /inside, below/);
});

for (const host of ['1.2.3', '300.1.1.1', 'a b', 'host:', 'host:0', 'host:70000', 'http://host/', '::1']) {
  test(`rejects ${host} as a device address`, async (t) => {
    await expectOtaError(t, 'OPTION_INVALID', () => choose({ hosts: [host] }));
  });
}

test('an option for the web updater selects the method web, and replaces the form of the configuration', (t) => {
  const web: Config = { ...config, upload: { preset: 'tasmota', path: '/u3', field: 'u3', user: 'root' } };
  t.like(choose({ hosts: ['kitchen'] }, { path: '/fw' })[0], { method: 'web', port: 80, path: '/fw' });
  t.like(choose({ hosts: ['kitchen'] }, { user: 'door' }, web)[0], {
    method: 'web',
    preset: 'tasmota',
    path: '/u3',
    field: 'u3',
    user: 'door',
  });
  t.like(choose({ hosts: ['kitchen'] }, { preset: 'wled' }, web)[0], {
    method: 'web',
    preset: 'wled',
    path: undefined,
    field: undefined,
    user: 'root',
  });
  t.is(choose({ hosts: ['kitchen'] }, {}, web)[0]?.method, 'espota');
});

test('rejects an option for the web updater together with espota', async (t) => {
  await expectOtaError(t, 'OPTIONS_CONFLICT', () =>
    choose({ hosts: ['kitchen'] }, { method: 'espota', preset: 'elegantota' }),
  );
});

import { createSocket } from 'node:dgram';
import test from 'ava';
import fc from 'fast-check';
import { type StoredDevice, withSeen } from '../../src/delivery/discovered.ts';
import { type DiscoveredDevice, Discovery } from '../../src/delivery/discovery.ts';
import { findTargets } from '../../src/delivery/find-targets.ts';
import { chooseTargets } from '../../src/delivery/inventory.ts';
import { firstResponding } from '../../src/delivery/resolve-host.ts';
import { isSameBoard, selectDevice } from '../../src/delivery/select-device.ts';
import { mdnsPortOfThisProcess } from '../support/mdns-port.ts';
import { endlessMs } from '../support/patience.ts';
import { quickDevice } from './quick.ts';

const port = await mdnsPortOfThisProcess();
const never = new AbortController().signal;
const place = { interfaces: ['127.0.0.1'], port };

async function open(): Promise<Discovery> {
  const discovery = await Discovery.open(place);
  if (!(discovery instanceof Discovery)) throw new Error(discovery.unavailable);
  return discovery;
}

const kitchen: DiscoveredDevice = {
  method: 'espota',
  name: 'kitchen',
  host: 'kitchen.local',
  address: '10.0.0.1',
  port: 8266,
  board: 'ESP8266_WEMOS_D1MINI',
};

test('reports a device each time it responds', async (t) => {
  const virtualDevice = await quickDevice(t, {
    host: '127.0.0.1',
    hostname: 'again',
    mdns: { port },
    password: 'secret',
  });
  const discovery = await open();
  t.teardown(() => discovery.close());
  const responses = await new Promise<DiscoveredDevice[]>((resolve) => {
    const heard: DiscoveredDevice[] = [];
    discovery.watch((device) => {
      if (device.host === 'again.local') heard.push(device);
      if (heard.length === 3) resolve(heard);
    });
  });
  t.deepEqual(new Set(responses.map(({ auth }) => auth)), new Set([true]));
  t.is(responses[0]?.port, virtualDevice.otaPort);
});

test('sanitizes announced values and ignores malformed datagrams', async (t) => {
  const txt = { board: '\u001b[2Jgone', sketch_md5: 'not an md5', auth_upload: 'maybe', x: 'y'.repeat(200) };
  await quickDevice(t, { host: '127.0.0.1', hostname: 'odd', mdns: { port, txt } });
  const discovery = await open();
  t.teardown(() => discovery.close());
  const odd = await new Promise<DiscoveredDevice>((resolve) => {
    discovery.watch((device) => {
      if (device.host === 'odd.local') resolve(device);
    });
  });
  t.like(odd, { board: '[2Jgone', sketchMd5: undefined, auth: undefined });
  const socket = createSocket('udp4');
  for (const datagram of [Buffer.alloc(0), Buffer.from('nonsense'), Buffer.alloc(1400, 0xff), Buffer.alloc(12, 0x84)]) {
    socket.send(datagram, port, '127.0.0.1');
  }
  const again = await findTargets(chooseTargets({}, { hosts: ['odd.local'] }, {}), {
    discovery,
    stored: [],
    limitMs: endlessMs,
    signal: never,
  });
  socket.close();
  t.is(again.size, 1, 'and it goes on listening');
});

test('reports the reason when mDNS discovery cannot listen', async (t) => {
  const discovery = await Discovery.open({ interfaces: ['203.0.113.1'], port });
  t.false(discovery instanceof Discovery);
  t.true('unavailable' in discovery && discovery.unavailable !== '');
});

test('finds devices by name or by address and returns as soon as all are found', async (t) => {
  const [named, placed] = await Promise.all([
    quickDevice(t, { host: '127.0.0.1', hostname: 'named', mdns: { port, announcesSketchMd5: true } }),
    quickDevice(t, { host: '127.0.0.1', hostname: 'placed', mdns: { port } }),
  ]);
  const targets = chooseTargets({}, { hosts: ['NAMED.local', `127.0.0.1:${placed.otaPort}`] }, {});
  const discovery = await open();
  t.teardown(() => discovery.close());
  const foundTargets = await findTargets(targets, { discovery, stored: [], limitMs: endlessMs, signal: never });
  t.deepEqual(
    targets.map((target) => foundTargets.get(target)),
    [
      { address: '127.0.0.1', sketchMd5: named.state.sketchMd5 },
      { address: '127.0.0.1', sketchMd5: undefined },
    ],
  );
});

test('uses the last known address of a device that does not respond', async (t) => {
  const targets = chooseTargets({}, { hosts: ['kitchen.local', 'cellar.local'] }, {});
  const discovery = await open();
  t.teardown(() => discovery.close());
  const remembered = [{ ...kitchen, lastSeen: new Date().toISOString() }];
  const foundTargets = await findTargets(targets, { discovery, stored: remembered, limitMs: 50, signal: never });
  t.deepEqual([...foundTargets.values()], [{ address: '10.0.0.1' }]);
});

test('stores each device for a month with its latest address', (t) => {
  const now = new Date('2026-03-31T12:00:00Z');
  const seenAt = (name: string, lastSeen: string): StoredDevice => ({
    ...kitchen,
    name,
    host: `${name}.local`,
    lastSeen,
  });
  const known = [
    seenAt('kitchen', '2026-03-30T12:00:00Z'),
    seenAt('attic', '2026-03-20T12:00:00Z'),
    seenAt('gone', '2026-02-01T12:00:00Z'),
  ];
  const after = withSeen(known, [{ ...kitchen, address: '10.0.0.2' }], now);
  t.deepEqual(
    after.map(({ name, address, lastSeen }) => [name, address, lastSeen]),
    [
      ['kitchen', '10.0.0.2', now.toISOString()],
      ['attic', '10.0.0.1', '2026-03-20T12:00:00Z'],
    ],
  );
});

test('matches only announced names that belong to the board', (t) => {
  for (const announced of ['ESP8266_WEMOS_D1MINI', 'PLATFORMIO_D1_MINI', 'd1_mini', 'D1-Mini']) {
    t.true(isSameBoard('d1_mini', announced), announced);
  }
  for (const announced of [
    'ESP8266_NODEMCU_ESP12E',
    'ESP8266_WEMOS_D1MINILITE',
    'ESP8266_GENERIC',
    '',
    'ESP8266_',
    '---',
  ]) {
    t.false(isSameBoard('d1_mini', announced), announced);
  }
  fc.assert(fc.property(fc.string(), (board) => t.false(isSameBoard(board, ''))));
});

test('prefers espota over the web updater on the same host unless the method is set', (t) => {
  const web: DiscoveredDevice = { ...kitchen, method: 'web', port: 8080, board: undefined };
  const method = (response: ReturnType<typeof selectDevice>) =>
    'device' in response ? response.device.method : response.reason;
  t.is(method(selectDevice({ name: 'kitchen' }, [web, kitchen])), 'espota');
  t.is(method(selectDevice({ name: 'kitchen', method: 'web' }, [web, kitchen])), 'web');
  t.is(method(selectDevice({ name: 'kitchen' }, [web])), 'web');
  t.regex(method(selectDevice({ name: 'kitchen', method: 'espota' }, [web])), /no device/);
  const response = selectDevice({ name: 'mine', host: '10.0.0.1', method: 'web' }, [web, kitchen]);
  t.deepEqual('entry' in response && response.entry, { address: 'kitchen.local', port: 8080, method: 'web' });
});

test('selects a device with a different board only if the option names the announced board', (t) => {
  const wrong = selectDevice({ name: 'kitchen', projectBoard: 'nodemcuv2' }, [kitchen]);
  t.true('reason' in wrong);
  t.true('hint' in wrong && wrong.hint.includes('--board ESP8266_WEMOS_D1MINI'));
  t.true(
    'device' in
      selectDevice({ name: 'kitchen', projectBoard: 'nodemcuv2', announcedBoard: 'ESP8266_WEMOS_D1MINI' }, [kitchen]),
  );
  t.true(
    'reason' in selectDevice({ name: 'kitchen', projectBoard: 'nodemcuv2', announcedBoard: 'nodemcuv2' }, [kitchen]),
  );
});

test('keeps two devices of the same name on different networks apart', (t) => {
  const other: DiscoveredDevice = { ...kitchen, address: '10.0.1.1', sketchMd5: 'a'.repeat(32) };
  const stored = withSeen([], [kitchen, other], new Date());
  t.deepEqual(
    stored.map(({ address }) => address),
    ['10.0.0.1', '10.0.1.1'],
  );
  const moved = { ...kitchen, address: '10.0.0.9' };
  t.is(withSeen(withSeen([], [kitchen], new Date(0)), [moved], new Date(1)).length, 1, 'a device with a new address');

  const both = selectDevice({ name: 'kitchen' }, [kitchen, other]);
  t.like(both, { reason: '2 devices named kitchen responded' });
  t.regex('hint' in both ? both.hint : '', /--host: 10\.0\.0\.1, 10\.0\.1\.1/);
  const one = selectDevice({ name: 'kitchen', host: '10.0.1.1' }, [kitchen, other]);
  t.like(one, { device: other, entry: { address: '10.0.1.1' } }, 'the name would select any of them');
  t.like(selectDevice({ name: 'kitchen' }, [kitchen]), { entry: { address: 'kitchen.local' } });
});

test('finds devices on a network that this machine joins later', async (t) => {
  await quickDevice(t, { host: '127.0.0.1', hostname: 'late', mdns: { port } });
  let interfaces: readonly string[] = ['127.0.0.2'];
  const discovery = await Discovery.open({ interfaces: () => interfaces, port });
  if (!(discovery instanceof Discovery)) throw new Error(discovery.unavailable);
  t.teardown(() => discovery.close());
  const asked: (readonly string[])[] = [];
  const found = new Promise<void>((resolve) => {
    discovery.watch(({ host }) => host === 'late.local' && asked.length > 0 && resolve());
  });
  asked.push(interfaces);
  interfaces = ['127.0.0.1'];
  await found;
  t.pass();
});

test('uses the address of a name that responds', async (t) => {
  const device = await quickDevice(t, { host: '127.0.0.9', hostname: 'several' });
  const place = { method: 'espota', port: device.otaPort ?? 0 } as const;
  t.is(await firstResponding(['127.0.0.8', '127.0.0.9', '127.0.0.10'], place, never), '127.0.0.9');
  t.is(await firstResponding(['127.0.0.8'], place, never), '127.0.0.8', 'a single address is not probed');
  t.is(await firstResponding([], place, never), undefined);
});

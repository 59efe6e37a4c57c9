import test from 'ava';
import { type WebPreset, webPresets } from '../../../src/core/model/web-preset.ts';
import { type FormServerOptions, startFormServer } from '../../support/form-servers.ts';
import { newSketch, sendByWeb } from '../quick.ts';

type ServerName = Parameters<typeof startFormServer>[1];

/** Servers for each preset. Two generations of ElegantOTA and two builds of ESPurna have forms of their own. */
const serversOf: Readonly<Record<WebPreset, readonly ServerName[]>> = {
  elegantota: ['elegantota', 'elegantota2', 'asyncelegantota'],
  tasmota: ['tasmota'],
  espeasy: ['espeasy'],
  espurna: ['espurna', 'espurna-basic'],
  wled: ['wled'],
  heishamon: ['heishamon'],
};

const password = 'hunter2-of-the-door';
const notEnoughSpace = 'ERROR[4]: Not Enough Space';

for (const preset of webPresets) {
  for (const name of serversOf[preset]) {
    test(`${name} installs the image that the preset ${preset} sends`, async (t) => {
      const server = await startFormServer(t, name);
      const { verdict, progress } = await sendByWeb(server, { preset });
      t.deepEqual(verdict, { kind: 'accepted' });
      t.is(progress.at(-1)?.transferredBytes, newSketch.length);
      t.deepEqual(
        server.installed.map(({ kind, image }) => [kind, image.equals(newSketch)]),
        [['sketch', true]],
      );
    });

    test(`the preset ${preset} reports why ${name} rejects an image`, async (t) => {
      const server = await startFormServer(t, name, { failure: notEnoughSpace });
      const { verdict } = await sendByWeb(server, { preset });
      t.like(verdict, { kind: 'rejected', by: 'updater' });
      // AsyncElegantOTA responds with FAIL and no reason.
      const reason = verdict.kind === 'rejected' ? verdict.reason : '';
      t.is(reason, name === 'asyncelegantota' ? 'FAIL' : notEnoughSpace);
      t.deepEqual(server.installed, []);
    });
  }
}

for (const preset of ['elegantota', 'tasmota', 'espurna'] as const) {
  test(`the preset ${preset} sends the password, and reports a wrong password before it sends the image`, async (t) => {
    const options: FormServerOptions = { password };
    const server = await startFormServer(t, preset, options);
    for (const given of ['wrong', undefined]) {
      const { verdict } = await sendByWeb(server, given === undefined ? { preset } : { preset, password: given });
      t.like(verdict, { kind: 'rejected', by: 'password' });
    }
    t.false(server.requests.some((request) => request.startsWith('POST')));
    t.is((await sendByWeb(server, { preset, password })).verdict.kind, 'accepted');
  });
}

test('reports that WLED has locked updates instead of a wrong password', async (t) => {
  const server = await startFormServer(t, 'wled', { isLocked: true });
  const { verdict } = await sendByWeb(server, { preset: 'wled' });
  t.like(verdict, { kind: 'rejected', by: 'updater' });
  t.regex(verdict.kind === 'rejected' ? verdict.reason : '', /unlock them in the security settings/);
});

test('sends a filesystem image only through forms that support filesystem images', async (t) => {
  const filesystem = { kind: 'filesystem', image: new Uint8Array(4096).fill(7) } as const;
  for (const preset of webPresets) {
    for (const name of serversOf[preset]) {
      const server = await startFormServer(t, name);
      const { verdict } = await sendByWeb(server, { preset, ...filesystem });
      const kinds = server.installed.map(({ kind }) => kind);
      if (preset === 'elegantota' || preset === 'espeasy') {
        t.is(verdict.kind, 'accepted', name);
        t.deepEqual(kinds, ['filesystem'], name);
      } else {
        t.like(verdict, { kind: 'wrongProtocol', which: 'noFilesystemForm' }, name);
        t.deepEqual(server.requests, [], name);
      }
    }
  }
});

test('derives the paths of ElegantOTA from the path of its page', async (t) => {
  const server = await startFormServer(t, 'elegantota');
  t.is((await sendByWeb(server, { preset: 'elegantota', path: '/update' })).verdict.kind, 'accepted');
  await sendByWeb(server, { preset: 'elegantota', path: '/door/update' });
  t.deepEqual(server.requests, ['GET /update', 'GET /ota/start', 'POST /ota/upload', 'GET /door/update']);
});

test('does not accept the success response of different firmware as success', async (t) => {
  const server = await startFormServer(t, 'asyncelegantota');
  t.like((await sendByWeb(server, { preset: 'heishamon', path: '/update' })).verdict, { kind: 'unknown' });
});

test('a field name selects the form of a sketch, which responds with OK or FAIL', async (t) => {
  const own = { path: '/flash', field: 'update' };
  const server = await startFormServer(t, 'own');
  t.deepEqual((await sendByWeb(server, own)).verdict, { kind: 'accepted' });
  t.is(server.installed[0]?.image.compare(newSketch), 0);
  const failing = await startFormServer(t, 'own', { failure: notEnoughSpace });
  t.like((await sendByWeb(failing, own)).verdict, { kind: 'rejected', by: 'updater', reason: 'FAIL' });
});

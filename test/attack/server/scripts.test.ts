/** Script injection: no text from a device, a publisher or an operator becomes markup on a page of the dashboard. */
import test from 'ava';
import { testBuild, testSigner } from '../../server/builds.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { startTestServer } from '../../server/running-server.ts';
import { countAttacks } from '../support/attack-counts.ts';

/** Each would create an element or an attribute named `evil` if one of its characters were not escaped in text, attributes or URLs. */
const payloads = [
  '<evil>',
  '"><evil>',
  "'><evil>",
  '</title><evil>',
  '</script><evil>',
  '--><evil>',
  '" evil="1',
  "' evil='1",
  '` evil=`1',
  '<evil/onload=1>',
  '<<evil>>',
  '&lt;evil&gt;<evil>',
  '&#60;evil&#62;"><evil x=',
  '\u003cevil>',
  'javascript:evil()',
  '<a href="javascript:evil()">',
  '{{evil}}<evil>',
  '<svg><evil>',
  '%3Cevil%3E"><evil>',
];

test('shows hostile text as text on every page', async (t) => {
  const server = await startTestServer(t, { limits: { failuresPerAddress: 1e9, newDevicesPerNetwork: 1e9 } });
  const signer = testSigner();
  await server.publish(await testBuild({ version: '1.0', project: 'door', signer }));
  await server.publish(await testBuild({ version: '2.0', seed: 2, project: 'door', signer }), { draft: true });
  const macs = payloads.map((_, index) => `18:FE:34:00:01:${index.toString(16).padStart(2, '0').toUpperCase()}`);
  for (const [index, payload] of payloads.entries()) {
    const mac = macs[index] ?? '';
    await requestAsDevice(server.port, '/update/door', { mac, version: payload, userAgent: 'ESP8266-http-Update' });
    await server.api('PATCH', `/projects/door/devices/${mac}`, { enrolled: true, name: payload });
    await server.api('POST', '/tokens', { roles: ['read'], name: payload });
  }
  const login = await fetch(`${server.url}/login`, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: server.url, 'content-type': 'application/x-www-form-urlencoded' },
    body: `token=${server.token}`,
  });
  const cookie = (login.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  let [tried, shown] = [0, 0];
  const look = async (path: string, payload: string) => {
    const html = await (await fetch(server.url + path, { headers: { cookie } })).text();
    tried++;
    if (html.includes('evil')) shown++;
    t.notRegex(html, /<evil|\sevil=["']|<[^>]*href="javascript:/, `${path} with ${payload}`);
  };
  for (const [index, payload] of payloads.entries()) {
    const reason = { reason: payload };
    await server.api('POST', '/projects/door/rollouts', { version: '2.0' });
    await server.api('POST', `/projects/door/rollouts/${index + 1}/pause`, reason);
    await server.api('POST', `/projects/door/rollouts/${index + 1}/abort`, reason);
    await server.api('POST', '/projects/door/releases/yank', { version: '2.0', ...reason });
    const search = encodeURIComponent(payload);
    for (const path of [
      '/',
      '/projects/door/devices',
      `/projects/door/devices?name=${search}&version=${search}`,
      `/projects/door/devices/${macs[index]}`,
      '/projects/door/releases',
      '/projects/door/rollouts',
      `/projects/door/rollouts/${index + 1}`,
      `/login?next=${search}`,
      `/projects/${search}/devices`,
    ]) {
      await look(path, payload);
    }
  }
  t.true(shown > payloads.length, 'most pages show the hostile text');
  countAttacks({ kind: 'pages with hostile text (XSS)', tried, withstood: tried });
});

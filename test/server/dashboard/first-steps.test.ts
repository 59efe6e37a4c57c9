/** The first page of an empty server. */
import test from 'ava';
import { makeToken } from '../../../src/server/auth/tokens.ts';
import { makeParts, openData } from '../../../src/server/compose.ts';
import { makeApi } from '../../../src/server/http/api/app.ts';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import { testFolder } from '../../support/test-folder.ts';
import { auditBy } from '../audit-by.ts';
import { saveDevice } from '../save-device.ts';
import { browserAt, testDashboard } from './browsing.ts';

const nobodyListens = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

test('shows three steps with the address of an empty server', async (t) => {
  const data = await openData({ data: (await testFolder(t)).at('data') }, 'a test');
  t.teardown(() => data.store.close());
  const parts = await makeParts(data, { log: nobodyListens }, new AbortController().signal);
  const { record, token } = makeToken({ roles: ['admin'], project: undefined, name: 'owner' });
  await data.store.tokens.create(record, auditBy('test'));
  const user = browserAt(makeApi(parts));
  await user.post('/login', { token });
  const { text } = await user.get('/');
  t.regex(text, /Three steps to the first device/);
  t.regex(text, /ESPhttpUpdate\.update\(client, &quot;localhost&quot;, 80, &quot;\/update\/door&quot;\);/);
  t.regex(text, /npx ota-hooks publish --to http:\/\/localhost</);
  t.is([...text.matchAll(/<button type="button" data-copy="(snippet-[a-z]+)" hidden/g)].length, 4);
});

test('names the project in the steps until it has a device', async (t) => {
  const { parts, browserOf } = await testDashboard(t);
  const user = await browserOf('read');
  const page = '/projects/window/devices';
  const { text } = await user.get(page);
  t.regex(text, /&quot;\/update\/window&quot;/);
  t.regex(text, /init --yes --project window/);
  t.notRegex((await user.get('/')).text, /Three steps/);
  await saveDevice(parts, { ...newRecord('window', '18:FE:34:00:00:01'), enrolled: true });
  t.notRegex((await user.get(`${page}?q=other`)).text, /Three steps/);
});

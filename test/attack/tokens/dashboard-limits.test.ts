import test from 'ava';
import { testDashboard } from '../../server/dashboard/browsing.ts';
import { countAttacks } from '../support/attack-counts.ts';

test('1,100 logins of a read token end no session of another token', async (t) => {
  const { browserOf, browser, tokenOf } = await testDashboard(t);
  const admin = await browserOf('admin');
  const { token } = await tokenOf('read');
  const first = browser();
  await first.post('/login', { token });
  for (let count = 0; count < 1100; count++) await browser().post('/login', { token });
  t.is((await admin.get('/')).status, 200);
  t.is((await first.get('/')).status, 303, 'only its own oldest sessions end');
  countAttacks({ kind: 'logins and event streams of one token', tried: 1100, withstood: 1100 });
});

test('the event streams of a read token leave room for those of other tokens', async (t) => {
  const { app, browserOf, stopping } = await testDashboard(t);
  const [reader, admin] = [await browserOf('read'), await browserOf('admin')];
  const follow = (cookie = '') => app.request('/events', { headers: { cookie } });
  const streams = await Promise.all(Array.from({ length: 205 }, () => follow(reader.cookie)));
  t.is(streams.filter(({ status }) => status === 200).length, 50);
  t.is(streams.filter(({ status }) => status === 429).length, 155);
  const live = await follow(admin.cookie);
  t.is(live.status, 200);
  stopping.abort();
  await Promise.all([...streams, live].map((response) => response.text()));
  countAttacks({ kind: 'logins and event streams of one token', tried: 205, withstood: 205 });
});

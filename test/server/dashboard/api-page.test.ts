import test from 'ava';
import { openApiDocument } from '../../../src/server/http/api/open-api.ts';
import { testDashboard } from './browsing.ts';

test('shows every operation of the API with its fields and errors', async (t) => {
  const { browserOf } = await testDashboard(t);
  const { status, text } = await (await browserOf('read')).get('/api');
  t.is(status, 200);
  for (const [path, methods] of Object.entries(openApiDocument().paths)) {
    for (const [method, { operationId }] of Object.entries(methods)) {
      t.true(text.includes(`<h3 id="${operationId}"><code>${method.toUpperCase()} ${path}</code></h3>`), operationId);
    }
  }
  t.regex(text, /<code>stages\[\]\.share<\/code><\/dt><dd>number, 0 to 100, default 0/);
  t.regex(text, /<code>version<\/code> \(required\)<\/dt>/);
  t.regex(text, /<li>409 <code>blobs-missing<\/code>: /);
  t.notRegex(text, /undefined|\[object/);
});

test('requires a login for the page of the API, and returns to it', async (t) => {
  const { browser, tokenOf } = await testDashboard(t);
  const user = browser();
  t.is((await user.get('/api')).headers.get('location'), '/login?next=%2Fapi');
  const { token } = await tokenOf('read');
  const response = await user.send('/login?next=%2Fapi', '/login', { token });
  t.is(response.headers.get('location'), '/api');
});

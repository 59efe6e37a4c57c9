import test from 'ava';
import { testDashboard } from './browsing.ts';

const values: Readonly<Record<string, string>> = {
  project: 'door',
  mac: '18:FE:34:00:00:01',
  id: '1',
  action: 'pause',
};

/** Returns the paths of all forms, with values for their parameters. */
function formPaths(routes: readonly { readonly method: string; readonly path: string }[]): readonly string[] {
  const posts = routes.filter(({ method, path }) => method === 'POST' && !path.startsWith('/api/'));
  const paths = posts.map(({ path }) => path).filter((path) => !path.endsWith('*'));
  return [...new Set(paths)]
    .filter((path) => !['/', '/api', '/audit', '/login', '/logout', '/events'].includes(path))
    .map((path) => path.replaceAll(/:(\w+)/g, (_, name) => values[name] ?? 'x'));
}

test('each form requires a role, the form token of its session, and the origin of the server', async (t) => {
  const { app, browser, browserOf } = await testDashboard(t);
  const paths = formPaths(app.routes);
  t.true(paths.includes('/projects/door/releases/new') && paths.length >= 5, paths.join(' '));
  const [reader, admin, other] = [await browserOf('read'), await browserOf('admin'), await browserOf('admin')];
  const wordOf = (text: string) => /name="form" value="([^"]+)"/.exec(text)?.[1] ?? '';
  const own = wordOf((await admin.get('/')).text);
  const theirs = wordOf((await other.get('/')).text);
  const readers = wordOf((await reader.get('/')).text);
  for (const path of paths) {
    const asReader = await reader.post(path, { form: readers });
    t.is(asReader.status, 403, path);
    t.regex(asReader.text, /this action requires the role/, path);
    for (const form of ['', theirs]) {
      const forged = await admin.post(path, { form });
      t.is(forged.status, 403, path);
      t.regex(forged.text, /The form belongs to a different session/, path);
    }
    const foreign = await admin.post(path, { form: own }, { origin: 'https://evil.example' });
    t.is(foreign.status, 403, path);
    t.regex(foreign.text, /The form was sent from a different site/, path);
  }
  const session = await browser().post(
    '/projects/door/releases/yank',
    {},
    {
      origin: 'http://localhost',
      referer: 'http://localhost/projects/door/releases?before=7',
    },
  );
  const login = session.headers.get('location') ?? '';
  t.is(login, '/login?next=%2Fprojects%2Fdoor%2Freleases%3Fbefore%3D7&unsent=yes');
});

test('returns to the page of a form that was sent after the session had ended', async (t) => {
  const { browser, tokenOf } = await testDashboard(t);
  const { token } = await tokenOf('read');
  const user = browser();
  const referer = 'http://localhost/projects/door/releases?before=7';
  const sent = await user.post('/projects/door/releases/yank', {}, { origin: 'http://localhost', referer });
  const login = sent.headers.get('location') ?? '';
  t.regex((await user.get(login)).text, /Your session has ended, so the form was not sent/);
  const response = await user.send(login, '/login', { token });
  t.is(response.headers.get('location'), '/projects/door/releases?before=7');
  const foreign = await browser().post(
    '/projects/door/releases/yank',
    {},
    {
      origin: 'http://localhost',
      referer: 'https://evil.example/projects/door',
    },
  );
  t.is(foreign.headers.get('location'), '/login?unsent=yes');
});

/** Returns the hidden fields of a form in a page. */
function hiddenFields(html: string, action: string): Record<string, string> {
  const form = html.split('<form').find((each) => each.includes(`action="${action}"`)) ?? '';
  const inputs = form.split('</form>')[0]?.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g) ?? [];
  return Object.fromEntries(
    [...inputs].map(([, name = '', value = '']) => [name, value.replaceAll('&lt;', '<').replaceAll('&gt;', '>')]),
  );
}

test('keeps the content of a form whose session has ended, and sends it after the login when the user agrees', async (t) => {
  const { parts, browser, tokenOf } = await testDashboard(t);
  const { id, token } = await tokenOf('admin');
  const user = browser();
  await user.post('/login', { token });
  const settings = '/projects/door/settings';
  const before = hiddenFields((await user.get(settings)).text, settings);
  const fields = { access: 'open', confirmWithin: '60', mostSends: '7', stalledAfter: '24', rules: '', user: '' };
  const headers = { origin: 'http://localhost', referer: `http://localhost${settings}` };
  const other = browser();
  const sent = await other.post(settings, { ...before, ...fields, newKeys: '<b>', password: 'correct horse' }, headers);
  t.is(sent.status, 401);
  t.regex(sent.text, /Your session has ended, so the form was not sent/);
  t.notRegex(sent.text, /<b>|correct horse/);
  const kept = hiddenFields(sent.text, '/login');
  t.like(kept, { next: settings, 'unsent-action': settings, 'kept-mostSends': '7', 'kept-newKeys': '<b>' });
  const wrong = await other.post('/login', { ...kept, token: 'ota_x' });
  t.is(wrong.status, 401);
  t.deepEqual(hiddenFields(wrong.text, '/login'), kept, 'a wrong token loses nothing');
  const asked = await other.post('/login', { ...kept, 'kept-newKeys': '', token });
  t.regex(asked.text, /Send the form again\?/);
  t.is(parts.catalog.view('door')?.project.mostSends, 3, 'nothing is sent without the user');
  const again = await other.post(settings, hiddenFields(asked.text, settings));
  t.is(again.status, 303, again.text);
  t.is(parts.catalog.view('door')?.project.mostSends, 7);
  t.like((await parts.store.audit.list({ limit: 1 }))[0], { actor: id, action: 'project.changed' });
  for (const action of [
    'https://evil.example/',
    '//evil.example',
    '/api/v1/tokens',
    '/logout',
    'javascript:alert(1)',
  ]) {
    const login = await browser().post('/login', { ...kept, 'unsent-action': action, token });
    t.is(login.headers.get('location'), settings, action);
  }
});

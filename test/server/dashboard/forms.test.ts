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

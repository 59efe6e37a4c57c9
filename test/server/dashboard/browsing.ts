import type { ExecutionContext } from 'ava';
import type { Hono } from 'hono';
import type { Role } from '../../../src/api/release.ts';
import { makeToken } from '../../../src/server/auth/tokens.ts';
import { makeParts, openData } from '../../../src/server/compose.ts';
import { makeApi } from '../../../src/server/http/api/app.ts';
import type { Session } from '../../../src/server/http/api/session.ts';
import type { ServerParts } from '../../../src/server/parts.ts';
import { newProject } from '../../../src/server/services/releases/project.ts';
import { testFolder } from '../../support/test-folder.ts';
import { auditBy } from '../audit-by.ts';

const nobodyListens = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

interface Seen {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Browser without JavaScript. It keeps cookies and submits forms as the page defines them. */
interface Browser {
  get(path: string): Promise<Seen>;
  /** Posts a form with same-origin headers unless other headers are passed. A form with files is sent as multipart. */
  post(
    path: string,
    fields: Readonly<Record<string, string>> | FormData,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Seen>;
  /** Opens a page, then submits the form for `action` with the hidden fields and checked boxes of the form and `fields`. */
  send(page: string, action: string, fields?: Readonly<Record<string, string>>): Promise<Seen>;
  readonly cookie: string | undefined;
}

export interface Dashboard {
  readonly parts: ServerParts;
  readonly stopping: AbortController;
  readonly app: Hono<Session>;
  tokenOf(role: Role, project?: string): Promise<{ id: string; token: string }>;
  browser(): Browser;
  /** Logged-in browser. */
  browserOf(role: Role, project?: string): Promise<Browser>;
}

/** Dashboard without a listening server. It has the projects `door` and `window`. */
export async function testDashboard(t: ExecutionContext): Promise<Dashboard> {
  const data = await openData({ data: (await testFolder(t)).at('data') }, 'a test');
  const { store } = data;
  t.teardown(() => store.close());
  for (const name of ['door', 'window']) await store.catalog.saveProject(newProject(name, []), auditBy('test'));
  const stopping = new AbortController();
  const parts = await makeParts(data, { log: nobodyListens, limits: { failuresPerSecond: 0 } }, stopping.signal);
  const app = makeApi(parts);
  const tokenOf: Dashboard['tokenOf'] = async (role, project) => {
    const { record, token } = makeToken({ roles: [role], project, name: `somebody who may ${role}` });
    await store.tokens.create(record, auditBy('test'));
    return { id: record.id, token };
  };
  const browser = () => browserAt(app);
  return {
    parts,
    stopping,
    app,
    tokenOf,
    browser,
    async browserOf(role, project) {
      const made = browser();
      const { token } = await tokenOf(role, project);
      t.is((await made.post('/login', { token })).status, 303);
      return made;
    },
  };
}

const origin = 'http://localhost';

/** Removes the elements that prevent versions from wrapping, so that tests can compare sentences. */
function withoutMarks(text: string): string {
  return text.replace(/<span class="version" title="[^"]*">([^<]*)<\/span>/g, '$1');
}

/** Browser that calls an app directly, without a listening server. */
export function browserAt(app: Hono<Session>): Browser {
  let cookie: string | undefined;
  const request = async (path: string, init: RequestInit): Promise<Seen> => {
    const headers = new Headers(init.headers);
    if (cookie !== undefined) headers.set('cookie', cookie);
    headers.set('host', 'localhost');
    const response = await app.request(path, { ...init, headers });
    const set = response.headers.get('set-cookie');
    if (set !== null) cookie = /Max-Age=0/.test(set) ? undefined : set.split(';')[0];
    return { status: response.status, headers: response.headers, text: withoutMarks(await response.text()) };
  };
  const made: Browser = {
    get cookie() {
      return cookie;
    },
    get: (path) => request(path, {}),
    post: (path, fields, headers = { origin, 'sec-fetch-site': 'same-origin' }) =>
      request(path, {
        method: 'POST',
        body: fields instanceof FormData ? fields : new URLSearchParams(fields),
        headers,
      }),
    async send(page, action, fields = {}) {
      const { text } = await made.get(page);
      const form = text.split('<form').find((each) => each.includes(`action="${action}"`));
      if (form === undefined) throw new Error(`no form goes to ${action}`);
      const sent =
        /<input (?:id="[^"]*" )?type="(?:hidden|checkbox)" (?:id="[^"]*" )?name="([^"]*)" value="([^"]*)"( checked)?/g;
      const hidden = [...form.matchAll(sent)].filter(([text, , , isChecked]) => !/checkbox/.test(text) || isChecked);
      return made.post(action, {
        ...Object.fromEntries(
          hidden.map(([, name, value]) => [name, value?.replaceAll('&quot;', '"').replaceAll('&amp;', '&')]),
        ),
        ...fields,
      });
    },
  };
  return made;
}

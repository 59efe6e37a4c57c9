import { type Context, Hono } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { clientAddress } from '../../auth/client-address.ts';
import { findToken } from '../../auth/tokens.ts';
import { countIn } from '../../observability/counters.ts';
import type { ServerParts } from '../../parts.ts';
import { Page, show } from './layout.tsx';
import { cookieOf, findLogin, formOf, type PageEnv, personOf } from './page-login.ts';
import type { Sessions } from './sessions.ts';

export function loginRoutes(parts: ServerParts, sessions: Sessions): Hono<PageEnv> {
  const { store, accessFailures, log, refusals, counters } = parts;
  const routes = new Hono<PageEnv>();

  routes.get('/login', async (context) => {
    const next = pageOf(context.req.query('next'));
    if ((await findLogin(context, { parts, sessions })) !== undefined) return context.redirect(next, 303);
    const unsent = 'Your session has ended, so the form was not sent. Log in to return to the form.';
    const problem = context.req.query('unsent') && unsent;
    return show(context, <LoginPage next={next} problem={problem} person={personOf(context, parts)} />);
  });

  routes.post('/login', async (context) => {
    const form = await formOf(context);
    const next = pageOf(form['next']);
    // As in the API, accept a valid token even from a rate-limited address.
    const token = await findToken(store.tokens, `Bearer ${(form['token'] ?? '').trim()}`);
    if (token === undefined) {
      refusals.note(addressOf(context), 'login');
      countIn(counters.rejectedAccess, 'login');
      if (await accessFailures.take(addressOf(context))) {
        return show(context, <LoginPage next={next} problem="Invalid or revoked token." />, 401);
      }
      const problem = 'Invalid or revoked token. There were also too many failed requests from this address.';
      return show(context, <LoginPage next={next} problem={problem} />, 429);
    }
    const { name, secure, path } = cookieOf(context, parts);
    setCookie(context, name, await sessions.open(token.id), { httpOnly: true, sameSite: 'Strict', secure, path });
    log.info({ by: token.id }, 'Logged in');
    return context.redirect(next, 303);
  });

  routes.post('/logout', async (context) => {
    const { name, secure, path } = cookieOf(context, parts);
    const login = await findLogin(context, { parts, sessions });
    if (login === undefined || (await formOf(context))['form'] === login.session.formToken) {
      await sessions.close(getCookie(context, name) ?? '');
      deleteCookie(context, name, { secure, path });
    }
    return context.redirect('/login', 303);
  });

  function addressOf({ env }: Context<PageEnv>): string {
    const { incoming } = env ?? {};
    return incoming === undefined ? 'this process' : clientAddress(incoming, parts.isTrustedProxy);
  }

  return routes;
}

/** Returns `next` only if it is a dashboard page, so that a link on a different site cannot redirect the user elsewhere. */
function pageOf(next: string | undefined): string {
  return next !== undefined && /^\/(api|(audit|projects|tokens|webhooks)[\w%.~:/?=&+*-]*)?$/.test(next) ? next : '/';
}

interface LoginPageProps {
  readonly next: string;
  readonly problem?: string | undefined;
  /** Person whom a proxy has logged in, but who has no access. */
  readonly person?: string | undefined;
}

function LoginPage({ next, problem, person }: LoginPageProps) {
  return (
    <Page title={problem === undefined ? 'Log in' : `${problem.replace(/\..*$/, '')} · Log in`}>
      <div class="login">
        <h1>Log in</h1>
        {problem === undefined ? undefined : (
          <p id="problem" class="problem" role="alert">
            {problem}
          </p>
        )}
        {person === undefined ? undefined : (
          <p class="notice">
            {person} has no access to this server yet. An admin gives it on the page of the tokens, or with{' '}
            <code>ota-hooks server tokens create --person</code>. You can also log in with a token.
          </p>
        )}
        <form method="post" action="/login">
          <input type="hidden" name="next" value={next} />
          <label for="token">Token</label>
          <input
            id="token"
            name="token"
            type="password"
            autocomplete="current-password"
            spellcheck={false}
            required
            autofocus
            aria-invalid={problem === undefined ? undefined : 'true'}
            aria-describedby={problem === undefined ? 'hint' : 'problem hint'}
          />
          <button class="main" type="submit">
            Log in
          </button>
        </form>
        <p id="hint" class="quiet">
          Tokens start with <code>ota_</code>. Create one with <code>ota-hooks server tokens create</code>; its role
          determines what you can do here.
        </p>
      </div>
    </Page>
  );
}

import { type Context, Hono } from 'hono';
import { deleteCookie, getCookie } from 'hono/cookie';
import { clientAddress } from '../../auth/client-address.ts';
import { findToken } from '../../auth/tokens.ts';
import { countIn } from '../../observability/counters.ts';
import type { ServerParts } from '../../parts.ts';
import type { TokenRecord } from '../../storage/records.ts';
import type { StoredSession } from '../../storage/store.ts';
import { Page, show } from './layout.tsx';
import {
  accessOf,
  beginSession,
  cookieOf,
  type Form,
  findLogin,
  formOf,
  type PageContext,
  type PageEnv,
  pageOfForm,
  personOf,
} from './page-login.ts';
import { withQuery } from './paths.ts';
import { SendForm } from './send-form.tsx';
import type { Sessions } from './sessions.ts';

export function loginRoutes(parts: ServerParts, sessions: Sessions): Hono<PageEnv> {
  const { store, accessFailures, log, refusals, counters } = parts;
  const routes = new Hono<PageEnv>();

  routes.get('/login', async (context) => {
    const next = pageOf(context.req.query('next'));
    if ((await findLogin(context, { parts, sessions })) !== undefined) return context.redirect(next, 303);
    const problem = context.req.query('unsent') && `${unsentText} Log in to return to the form.`;
    return show(context, <LoginPage next={next} problem={problem} person={personOf(context, parts)} />);
  });

  routes.post('/login', async (context) => {
    const form = await formOf(context);
    const next = pageOf(form['next']);
    const unsent = unsentIn(form);
    // As in the API, accept a valid token even from a rate-limited address.
    const token = await findToken(store.tokens, `Bearer ${(form['token'] ?? '').trim()}`);
    if (token === undefined) {
      refusals.note(addressOf(context), 'login');
      countIn(counters.rejectedAccess, 'login');
      if (await accessFailures.take(addressOf(context))) {
        return show(context, <LoginPage next={next} unsent={unsent} problem="Invalid or revoked token." />, 401);
      }
      const problem = 'Invalid or revoked token. There were also too many failed requests from this address.';
      return show(context, <LoginPage next={next} unsent={unsent} problem={problem} />, 429);
    }
    const login = await beginSession(context, { parts, sessions }, token);
    log.info({ by: token.id }, 'Logged in');
    if (login === undefined || unsent === undefined) return context.redirect(next, 303);
    return show(context, <SendAgainPage next={next} unsent={unsent} login={login} />);
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

const unsentText = 'Your session has ended, so the form was not sent.';

/** Form that was sent after its session had ended. */
interface UnsentForm {
  readonly action: string;
  readonly fields: Form;
}

const keptPrefix = 'kept-';

/**
 * Responds to a form that was sent without a session. The content of the form stays in the login page, so that it can be sent after the
 * login. Files are not kept, and neither are passwords, which no page contains.
 */
export async function refuseForm(context: PageContext, parts: ServerParts, sessions: Sessions): Promise<Response> {
  const page = pageOfForm(context, parts);
  const type = context.req.header('content-type') ?? '';
  const isKept =
    /^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(type) && !context.req.path.endsWith('/releases/new');
  const { form: _, password: __, ...fields } = isKept ? await formOf(context) : {};
  const unsent = { action: context.req.path, fields };
  if (Object.keys(fields).length === 0 || pageOf(unsent.action) !== unsent.action) {
    return context.redirect(withQuery('/login', { next: page, unsent: 'yes' }), 303);
  }
  const next = pageOf(page);
  const access = await accessOf(context, parts);
  const login = access && (await beginSession(context, { parts, sessions }, access));
  if (login !== undefined) return show(context, <SendAgainPage next={next} unsent={unsent} login={login} />, 401);
  const problem = `${unsentText} Log in to send it.`;
  const person = personOf(context, parts);
  return show(context, <LoginPage next={next} unsent={unsent} problem={problem} person={person} />, 401);
}

/** Returns the unsent form that the form of the login page contains. */
function unsentIn(form: Form): UnsentForm | undefined {
  const { 'unsent-action': action = '' } = form;
  if (action === '' || pageOf(action) !== action) return undefined;
  const kept = Object.entries(form).filter(([name]) => name.startsWith(keptPrefix));
  return { action, fields: Object.fromEntries(kept.map(([name, value]) => [name.slice(keptPrefix.length), value])) };
}

interface SendAgainProps {
  readonly next: string;
  readonly unsent: UnsentForm;
  readonly login: { readonly session: StoredSession; readonly token: TokenRecord };
}

/** Asks whether the form shall be sent now. Without the question, a login could make a change that the user no longer wants. */
function SendAgainPage({ next, unsent, login: { session, token } }: SendAgainProps) {
  const { formToken } = session;
  return (
    <Page title="Send the form again" here="Send the form again" login={{ token, formToken }}>
      <h1>Send the form again?</h1>
      <p role="status">{unsentText} Nothing was changed, and the content of the form was kept.</p>
      <SendForm action={unsent.action} formToken={formToken}>
        {Object.entries(unsent.fields).map(([name, value]) => (
          <input type="hidden" name={name} value={value} />
        ))}
        <button class="main" type="submit">
          Send the form
        </button>
      </SendForm>
      <p class="alone">
        <a href={next}>Return to the page without sending it</a>
      </p>
    </Page>
  );
}

interface LoginPageProps {
  readonly next: string;
  readonly unsent?: UnsentForm | undefined;
  readonly problem?: string | undefined;
  /** Person whom a proxy has logged in, but who has no access. */
  readonly person?: string | undefined;
}

function LoginPage({ next, unsent, problem, person }: LoginPageProps) {
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
          {unsent === undefined ? undefined : <input type="hidden" name="unsent-action" value={unsent.action} />}
          {Object.entries(unsent?.fields ?? {}).map(([name, value]) => (
            <input type="hidden" name={`${keptPrefix}${name}`} value={value} />
          ))}
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

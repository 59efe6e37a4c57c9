import { Hono } from 'hono';
import { setCookie } from 'hono/cookie';
import { html } from 'hono/html';
import type { Child } from 'hono/jsx';
import { streamSSE } from 'hono/streaming';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { printableLines } from '../../../../core/model/unprintable.ts';
import type { OtaError } from '../../../../errors/ota-error.ts';
import { Bell } from '../../../../server/http/dashboard/bell.ts';
import { icon } from '../../../../server/http/dashboard/icon.ts';
import { liveScript } from '../../../../server/http/dashboard/live-script.ts';
import { styleSheet } from '../../../../server/http/dashboard/style-sheet.ts';
import { pageHeaders } from '../../../../server/http/page-headers.ts';
import { knownError } from '../../../known-error.ts';
import type { LocalFleet, NewDevice } from '../local-fleet.ts';
import type { PageAccess } from './access.ts';
import { AddPage } from './add-page.tsx';
import { DevicesPage } from './devices-page.tsx';
import {
  cookieName,
  type PageForm,
  readPageForm,
  refuse,
  requireOwnHost,
  requireOwnOrigin,
  requireSession,
  requireSmallForm,
  type UiContext,
  type UiEnv,
} from './guard.ts';
import type { Notice } from './layout.tsx';
import { localStyle } from './local-style.ts';
import { PasswordPage } from './password-page.tsx';

/** Longest password of a device that the page accepts. */
const mostPasswordCharacters = 200;
/** Interval between keep-alive comments: the server detects a disconnected browser only when it writes. */
const quietMs = 15_000;

const assets = {
  'style.css': { type: 'text/css; charset=utf-8', text: styleSheet + localStyle },
  'live.js': { type: 'text/javascript; charset=utf-8', text: liveScript },
  'icon.svg': { type: 'image/svg+xml', text: icon },
} as const;

/** Creates the page: server-rendered HTML that loads nothing from elsewhere. Without JavaScript, it is complete but not live. */
export function pageApp(fleet: LocalFleet, access: PageAccess): Hono<UiEnv> {
  const app = new Hono<UiEnv>();
  /** Result of the last action, shown until the next one. */
  let notice: Notice | undefined;
  const { base } = access;

  app.use(pageHeaders);
  app.use(requireOwnHost);
  app.get('/', (context) => {
    const { token = '', once } = context.req.query();
    const entry = once === undefined ? access.enter(token) : access.enterOnce(once);
    if (entry === 'used') return context.text(usedText, 403);
    if (entry === 'invalid') return refuse(context);
    setCookie(context, cookieName, entry.cookie, { httpOnly: true, sameSite: 'Strict', path: `${base}/` });
    context.header('Cache-Control', 'no-store');
    return context.redirect(`${base}/`, 303);
  });

  app.use(`${base}/*`, requireSession(access));
  app.post(`${base}/*`, requireOwnOrigin, requireSmallForm);
  for (const [name, { type, text }] of Object.entries(assets)) {
    app.get(`${base}/assets/${name}`, (context) => context.body(text, 200, { 'Content-Type': type }));
  }

  app.get(`${base}/`, async (context) => {
    try {
      const view = await fleet.view();
      return show(context, <DevicesPage view={view} notice={notice} {...formOf(context)} />);
    } catch (error) {
      return show(context, <DevicesPage notice={problemOf(error)} {...formOf(context)} />, 500);
    }
  });

  app.get(`${base}/events`, (context) => {
    // The stream is the last response on its connection. A keep-alive connection would delay the end of the command.
    context.header('Connection', 'close');
    return streamSSE(context, async (stream) => {
      const bell = new Bell();
      const stop = fleet.follow(bell);
      stream.onAbort(() => bell.end());
      try {
        await stream.write('retry: 2000\n\n');
        while (!bell.isEnded) {
          const rang = await bell.wait(quietMs);
          if (bell.isEnded) return;
          // An event says only that something changed. The browser then reads the page again.
          await (rang ? stream.writeSSE({ event: 'change', data: '' }) : stream.write(':\n\n'));
          if (rang) await bell.pause(leastPauseMs);
        }
      } finally {
        stop();
      }
    });
  });

  app.get(`${base}/password`, async (context) =>
    passwordPage(context, context.req.queries('device') ?? [], context.req.query('canary') ?? ''),
  );

  app.post(`${base}/update`, async (context) => {
    const form = await readPageForm(context);
    if (form === undefined) return refuse(context);
    return startUpdate(context, form);
  });

  app.post(`${base}/password`, async (context) => {
    const form = await readPageForm(context);
    if (form === undefined) return refuse(context);
    const password = form.get('password') ?? '';
    const served = form.getAll('for');
    if (password === '' || password.length > mostPasswordCharacters || served.length === 0) {
      const problem =
        served.length === 0
          ? 'Select at least one device.'
          : `Enter a password of at most ${mostPasswordCharacters} characters.`;
      return passwordPage(context, form.getAll('device'), form.get('canary') ?? '', problem);
    }
    fleet.enterPassword(password, served);
    return startUpdate(context, form);
  });

  app.get(`${base}/add`, async (context) => {
    const host = context.req.query('host') ?? '';
    return addPage(context, {
      host,
      name: host.replace(/\.local$/, '').replace(/[^\w.-]/g, ''),
      board: '',
      isSameBoard: false,
    });
  });

  app.post(`${base}/add`, async (context) => {
    const form = await readPageForm(context);
    if (form === undefined) return refuse(context);
    const field = (name: string) => (form.get(name) ?? '').trim();
    const device = {
      host: field('host'),
      name: field('name'),
      board: field('board'),
      isSameBoard: form.get('same-board') === 'yes',
    };
    try {
      await fleet.add(device);
    } catch (error) {
      return addPage(context, device, problemOf(error));
    }
    notice = { kind: 'done', text: `${device.name} was added to the configuration.`, hint: undefined };
    return context.redirect(`${base}/`, 303);
  });

  app.notFound((context) => context.text('Page not found.\n', 404));
  app.onError((error, context) => {
    const { text, hint } = problemOf(error);
    return context.text(printableLines(`${text}. ${hint ?? ''}\n`), 500);
  });
  return app;

  async function startUpdate(context: UiContext, form: PageForm): Promise<Response> {
    const devices = form.getAll('device');
    const canary = form.get('canary') ?? '';
    notice = undefined;
    try {
      const locked = await fleet.update(devices, /^\d{1,4}$/.test(canary) ? Number(canary) : 0);
      if (locked.length > 0) {
        const query = new URLSearchParams({ canary });
        for (const name of devices) query.append('device', name);
        return context.redirect(`${base}/password?${query}`, 303);
      }
    } catch (error) {
      notice = problemOf(error);
    }
    return context.redirect(`${base}/`, 303);
  }

  async function passwordPage(context: UiContext, devices: readonly string[], canary: string, problem?: string) {
    const { locked } = await fleet.view();
    // Nothing is missing, for example after the page was loaded again.
    if (!devices.some((name) => locked.includes(name))) return context.redirect(`${base}/`, 303);
    const page = (
      <PasswordPage locked={locked} devices={devices} canary={canary} problem={problem} {...formOf(context)} />
    );
    return show(context, page, problem === undefined ? 200 : 422);
  }

  async function addPage(context: UiContext, device: NewDevice, problem?: Notice) {
    const { project, unlisted } = await fleet.view();
    const found = unlisted.find(({ host }) => host === device.host);
    if (found === undefined) return context.redirect(`${base}/`, 303);
    const boards = [project.settings.config.board, ...project.builds.map(({ manifest }) => manifest?.board)];
    const known = [...new Set(boards.flatMap((board) => board ?? []))];
    const page = <AddPage found={found} device={device} boards={known} problem={problem} {...formOf(context)} />;
    return show(context, page, problem === undefined ? 200 : 422);
  }
}

/** Pause after an event, so that a transfer does not cause an event for each packet. */
const leastPauseMs = 500;

const usedText =
  'This address was already used, and both visits are logged out. If you did not open it twice, stop `ota-hooks ui` and start it again.\n' +
  'Otherwise, open the address on the terminal.\n';

function formOf(context: UiContext): { readonly formToken: string } {
  return { formToken: context.get('session').formToken };
}

/** Renders a page. Control characters in the names of devices are escaped here. */
async function show(context: UiContext, page: Child, status: ContentfulStatusCode = 200): Promise<Response> {
  const text = await html`<!doctype html>${page}`;
  return context.html(printableLines(String(text)), status);
}

/** Describes an error for the page. An unknown error is a bug, and its text may contain anything. */
function problemOf(error: unknown): Notice {
  const known: OtaError | undefined = knownError(error);
  if (known !== undefined) return { kind: 'problem', text: known.message, hint: known.hint };
  return {
    kind: 'problem',
    text: 'Unexpected error in ota-hooks',
    hint: 'Run the update with `ota-hooks upload`, and report this bug.',
  };
}

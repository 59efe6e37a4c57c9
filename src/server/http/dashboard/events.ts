import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { ServerParts } from '../../parts.ts';
import { Bell, type Schedule, scheduleTimer } from './bell.ts';
import { findLogin, mayLookAt, type PageContext, type PageEnv } from './page-login.ts';
import type { Sessions } from './sessions.ts';

const mostListeners = 1000;
/** Maximum number of event streams per token, so that a single token cannot use up all streams. */
const mostPerToken = 200;
/** Minimum interval between events, because clients reload the page on every event. */
const leastPauseMs = 1000;
/** Interval between keep-alive comments. Proxies close silent streams, and the server detects a disconnected client only when it writes. */
const quietMs = 15_000;

/** Creates the route `/events[?project=PROJECT]`. Its events report only that the data has changed; clients then reload the page. */
export function eventRoutes(parts: ServerParts, sessions: Sessions, schedule: Schedule = scheduleTimer): Hono<PageEnv> {
  const { events, stopping } = parts;
  const routes = new Hono<PageEnv>();
  /** Open streams, with the IDs of their tokens. */
  const bells = new Map<Bell, string>();
  stopping.addEventListener('abort', () => {
    for (const bell of bells.keys()) bell.end();
  });

  routes.get('/events', async (context) => {
    const login = await findLogin(context, { parts, sessions });
    const wanted = context.req.query('project') || undefined;
    if (login === undefined) return context.text('Not logged in. Log in at /login.', 401);
    if (wanted !== undefined && !mayLookAt(login.token, wanted)) return context.text('Project not found.', 404);
    if (stopping.aborted) return context.text('The server is stopping.', 503);
    if (bells.size >= mostListeners) return context.text(`Too many event streams: the limit is ${mostListeners}.`, 503);
    const { id } = login.token;
    const own = [...bells.values()].filter((tokenId) => tokenId === id).length;
    if (own >= mostPerToken) {
      return context.text(`Too many event streams: the limit per token is ${mostPerToken}.`, 503);
    }
    const isMeant = (project: string) => mayLookAt(login.token, project) && (wanted ?? project) === project;
    return follow(context, id, isMeant);
  });

  function follow(context: PageContext, tokenId: string, isMeant: (project: string) => boolean): Response {
    context.header('X-Accel-Buffering', 'no');
    // The stream is the last response on its connection. A keep-alive connection would delay a server that is stopping.
    context.header('Connection', 'close');
    const bell = new Bell(schedule);
    bells.set(bell, tokenId);
    return streamSSE(context, async (stream) => {
      const stopListening = events.follow(({ project }) => project !== undefined && isMeant(project) && bell.ring());
      stream.onAbort(() => bell.end());
      try {
        await stream.write('retry: 5000\n\n');
        while (!bell.isEnded) {
          const rang = await bell.wait(quietMs);
          // End the stream after a logout or if the token was revoked.
          if (bell.isEnded || (await findLogin(context, { parts, sessions })) === undefined) return;
          await (rang ? stream.writeSSE({ event: 'change', data: '' }) : stream.write(':\n\n'));
          if (rang) await bell.pause(leastPauseMs);
        }
      } finally {
        stopListening();
        bells.delete(bell);
      }
    });
  }

  return routes;
}

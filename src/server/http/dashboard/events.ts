import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { ServerParts } from '../../parts.ts';
import type { Sessions } from './sessions.ts';
import { findVisitor, mayLookAt, type PageContext, type Visitor } from './visitor.ts';

const mostListeners = 200;
/** However much happens: a page is made anew for each. */
const leastPauseMs = 1000;
/** A proxy closes a stream on which nothing comes, and a reader that is gone shows when it is written to. */
const quietMs = 15_000;

/** Calls `run` after `ms`. @returns a function that cancels it */
export type Schedule = (ms: number, run: () => void) => () => void;

const scheduleTimer: Schedule = (ms, run) => {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
};

/** `/events[?project=PROJECT]`: says that something changed, and nothing else; pages are asked for what it is. */
export function eventRoutes(parts: ServerParts, sessions: Sessions, schedule: Schedule = scheduleTimer): Hono<Visitor> {
  const { changes, stopping } = parts;
  const routes = new Hono<Visitor>();
  const bells = new Set<Bell>();
  stopping.addEventListener('abort', () => {
    for (const bell of bells) bell.end();
  });

  routes.get('/events', async (context) => {
    const visitor = await findVisitor(context, { parts, sessions });
    const wanted = context.req.query('project') || undefined;
    if (visitor === undefined) return context.text('Log in first.', 401);
    if (wanted !== undefined && !mayLookAt(visitor.token, wanted))
      return context.text('There is no such project.', 404);
    if (bells.size >= mostListeners || stopping.aborted) return context.text('There are too many listeners.', 503);
    const isMeant = (project: string) => mayLookAt(visitor.token, project) && (wanted ?? project) === project;
    return follow(context, isMeant);
  });

  function follow(context: PageContext, isMeant: (project: string) => boolean): Response {
    context.header('X-Accel-Buffering', 'no');
    // Nothing else comes on it, and a server that stops need not wait for what might.
    context.header('Connection', 'close');
    const bell = new Bell(schedule);
    bells.add(bell);
    return streamSSE(context, async (stream) => {
      const stopListening = changes.listen((project) => isMeant(project) && bell.ring());
      stream.onAbort(() => bell.end());
      try {
        await stream.write('retry: 5000\n\n');
        while (!bell.isEnded) {
          const rang = await bell.wait(quietMs);
          // Who logged out, or whose token was revoked, hears no more.
          if (bell.isEnded || (await findVisitor(context, { parts, sessions })) === undefined) return;
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

/** Something to wait for: rung any number of times, it is heard once. */
class Bell {
  isEnded = false;
  readonly #schedule: Schedule;
  #rang = false;
  #wake: () => void = () => undefined;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
  }

  ring(): void {
    this.#rang = true;
    this.#wake();
  }

  end(): void {
    this.isEnded = true;
    this.#wake();
  }

  /** @returns whether it rang since the last time */
  async wait(mostMs: number): Promise<boolean> {
    if (!this.#rang && !this.isEnded) {
      const cancel = this.#schedule(mostMs, () => this.#wake());
      await this.#woken();
      cancel();
    }
    const rang = this.#rang;
    this.#rang = false;
    return rang;
  }

  /** Nobody answers meanwhile. */
  async pause(ms: number): Promise<void> {
    let isOver = false;
    const cancel = this.#schedule(ms, () => {
      isOver = true;
      this.#wake();
    });
    while (!this.isEnded && !isOver) await this.#woken();
    cancel();
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

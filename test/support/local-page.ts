import type { ExecutionContext } from 'ava';
import { runCommand } from './run-command.ts';
import type { TestFolder } from './test-folder.ts';

interface Response {
  readonly status: number;
  readonly location: string | undefined;
  readonly text: string;
}

/** Result of an update, as `ui --json` prints it. */
interface EndedUpdate {
  readonly device: string;
  readonly outcome: string;
  readonly message: string;
  readonly hint: string | null;
}

/** The page of `ota-hooks ui`, visited by a browser without JavaScript. */
export interface LocalPage {
  readonly url: string;
  readonly origin: string;
  /** URL of the list of devices. */
  readonly home: string;
  readonly cookie: string;
  /** Everything that the command and the page have shown. */
  readonly shown: () => string;
  get(path?: string): Promise<Response>;
  /** Submits a form of the page at `from` to `action`. */
  submit(action: string, fields: readonly (readonly [string, string])[], from?: string): Promise<Response>;
  /** Waits for the next result of an update of a device, and removes it. */
  ended(device: string): Promise<EndedUpdate>;
  /** Stops the command. */
  stop(): Promise<void>;
}

/** Starts `ota-hooks ui` in a folder and opens its page. The command stops when the test ends. */
export async function openLocalPage(
  t: ExecutionContext,
  folder: TestFolder,
  argv: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<LocalPage> {
  const ctrlC = new AbortController();
  const results: EndedUpdate[] = [];
  const waiting = new Set<() => void>();
  let shown = '';
  let printed = '';
  let url: string | undefined;
  const take = (line: string) => {
    if (!line.startsWith('{')) return;
    const event = JSON.parse(line);
    if (event.event === 'ready') url = event.url;
    if (event.event === 'ended') results.push(event);
    for (const wake of waiting) wake();
  };
  const running = runCommand(['ui', '--no-open', '--json', '--interface', '127.0.0.1', ...argv], {
    cwd: folder.path,
    env,
    signal: ctrlC.signal,
    onOutput: (text) => {
      shown += text;
      printed += text;
      const lines = printed.split('\n');
      printed = lines.pop() ?? '';
      for (const line of lines) take(line);
    },
  });
  const stop = async () => {
    ctrlC.abort();
    await running;
  };
  t.teardown(stop);
  const until = async <Value>(find: () => Value | undefined): Promise<Value> => {
    for (;;) {
      const value = find();
      if (value !== undefined) return value;
      await new Promise<void>((resolve) => {
        const wake = () => {
          waiting.delete(wake);
          resolve();
        };
        waiting.add(wake);
      });
    }
  };
  const failed = running.then((run) => {
    throw run.error ?? new Error(run.stderr);
  });
  failed.catch(() => undefined);
  const address = await Promise.race([until(() => url), failed]);
  const { origin } = new URL(address);
  const first = await fetch(address, { redirect: 'manual' });
  const cookie = (first.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const home = origin + (first.headers.get('location') ?? '');
  const request = async (target: string, init: RequestInit = {}): Promise<Response> => {
    const response = await fetch(new URL(target, home), {
      redirect: 'manual',
      ...init,
      headers: { cookie, ...init.headers },
    });
    const text = await response.text();
    shown += text;
    return { status: response.status, location: response.headers.get('location') ?? undefined, text };
  };
  return {
    url: address,
    origin,
    home,
    cookie,
    shown: () => shown,
    get: (path = '') => request(path),
    async submit(action, fields, from = '') {
      const { text } = await request(from);
      const [, form = ''] =
        new RegExp(`action="${action}"><input type="hidden" name="form" value="(\\w+)"`).exec(text) ?? [];
      return request(action, {
        method: 'POST',
        headers: { origin },
        body: new URLSearchParams([['form', form], ...fields.map(([name, value]): [string, string] => [name, value])]),
      });
    },
    ended: (device) =>
      until(() => {
        const at = results.findIndex((result) => result.device === device);
        return at === -1 ? undefined : results.splice(at, 1)[0];
      }),
    stop,
  };
}

/** Text of the card of a device, without tags. */
export function cardOf(page: string, device: string): string {
  const card = page.split('<li class="card">').find((part) => part.includes(`<h3>${device}</h3>`)) ?? '';
  return (card.split('</li></ul></div>')[0] ?? '').replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
}

import type { Child } from 'hono/jsx';

/** Result of an action. */
export interface Notice {
  readonly kind: 'done' | 'problem';
  readonly text: string;
  readonly hint: string | undefined;
}

interface LocalPageProps {
  readonly title: string;
  readonly project?: string | undefined;
  /** True if the page changes while it is open. */
  readonly isLive?: boolean;
  /** True if the page is loaded again every few seconds without JavaScript. */
  readonly isBusy?: boolean;
  readonly children?: Child;
}

/** Renders the frame of all pages. All paths are relative, because the first part of the path is random. */
export function LocalPage({ title, project, isLive = false, isBusy = false, children }: LocalPageProps) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${title} · ota-hooks`}</title>
        <link rel="icon" href="assets/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="assets/style.css" />
        {isLive ? <script src="assets/live.js" defer data-events="events" /> : undefined}
        {isBusy ? (
          <noscript>
            <meta http-equiv="refresh" content="3" />
          </noscript>
        ) : undefined}
      </head>
      <body class="local">
        <a class="skip" href="#main">
          Skip to content
        </a>
        <header class="bar">
          <a class="brand" href="./">
            ota-hooks
          </a>
          {project === undefined ? undefined : <span class="quiet">{project}</span>}
        </header>
        <main id="main" tabindex={-1}>
          {children}
        </main>
      </body>
    </html>
  );
}

export function NoticeText({ kind, text, hint }: Notice) {
  const isProblem = kind === 'problem';
  return (
    <div class={isProblem ? 'problem' : 'done'} role={isProblem ? 'alert' : 'status'}>
      <p>{text}</p>
      {hint === undefined ? undefined : <p class="quiet">{hint}</p>}
    </div>
  );
}

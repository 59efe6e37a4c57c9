import { OtaError } from '../../../errors/ota-error.ts';
import type { Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport, type Report } from '../../output/report.ts';
import { untilAborted } from '../../shared/until-aborted.ts';
import { openBrowser } from './open-browser.ts';
import { type UiOptions, uiCommand } from './options.ts';

export function declareUi(declaration: Declaration) {
  return uiCommand(declaration).action((file, options) => ui(file, options, declaration.io));
}

/** Serves a page on which a user updates the devices of a project, until the user stops it. */
export async function ui(file: string | undefined, options: UiOptions, io: Io): Promise<void> {
  if (file !== undefined && options.environment !== undefined) {
    throw new OtaError('OPTIONS_CONFLICT', { option: '--environment', other: 'a file' });
  }
  const report = makeReport(io, options);
  // Loaded here, because the help of all commands must not load the page.
  const { startPage } = await import('./start.ts');
  const page = await startPage(file, options, io, report);
  try {
    report.event('ui', { event: 'ready', url: page.url });
    if (options.json !== true) await announce(page, options, io, report);
    await untilAborted(io.signal);
  } finally {
    await page.close();
  }
  report.event('ui', { event: 'stopped' });
}

interface PageUrls {
  readonly url: string;
  /** URL that is valid for one visit. The arguments of the browser are visible to all users of this machine. */
  readonly urlOnce: string;
}

async function announce({ url, urlOnce }: PageUrls, options: UiOptions, io: Io, report: Report): Promise<void> {
  const isOpened = options.open && (await openBrowser(urlOnce, io));
  report.say(
    `${isOpened ? 'Opened the page in the browser. Its address is' : 'Open this address in a browser:'} ${url}`,
  );
  report.say('The address contains a token, which gives access to the page until you stop this command (Ctrl-C).');
}

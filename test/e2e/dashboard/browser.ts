import type { ExecutionContext } from 'ava';
import axe from 'axe-core';
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** Debian's Chromium, run headless. */
const executablePath = '/usr/bin/chromium';

export interface Visit {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Problems since the browser opened: errors and warnings on the console, script errors, and requests to other origins. */
  readonly complaints: readonly string[];
}

/** Opens a browser for one test; each visit has its own cookies. */
export async function openBrowser(t: ExecutionContext, origin: string) {
  // Chromium's sandbox does not work as root, and these tests run as root.
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  t.teardown(() => browser.close());
  return async (options: BrowserContextOptions = {}): Promise<Visit> => {
    const context = await browser.newContext({ viewport: { width: 1100, height: 900 }, baseURL: origin, ...options });
    context.setDefaultTimeout(480_000);
    const complaints: string[] = [];
    context.on('request', (request) => {
      const url = request.url();
      if (new URL(url).origin !== origin && !url.startsWith('data:')) complaints.push(`unexpected request for ${url}`);
    });
    context.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(`console: ${message.text()}`);
    });
    context.on('weberror', (error) => complaints.push(`script: ${error.error().message}`));
    return { context, page: await context.newPage(), complaints };
  };
}

export async function logIn(page: Page, token: string): Promise<void> {
  await page.goto('/login');
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('heading', { level: 1, name: 'Projects' }).waitFor();
}

/** Accessibility violations that axe rates `serious` or `critical`. The context must bypass the CSP. */
export async function barriersOf(page: Page): Promise<string[]> {
  await page.addScriptTag({ content: axe.source });
  const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${page.url()}: ${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

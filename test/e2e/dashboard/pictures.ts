import { fileURLToPath } from 'node:url';
import { logIn, type openBrowser, type Visit } from './browser.ts';

const folder = fileURLToPath(new URL('../../../docs/pictures/', import.meta.url));

/** Records the documentation screenshots; enabled only by `npm run pictures`. */
export async function takePictures(visits: readonly Visit[], rollout: string): Promise<void> {
  if (process.env['DASHBOARD_PICTURES'] === undefined) return;
  for (const [index, scheme] of (['light', 'dark'] as const).entries()) {
    const page = visits[index]?.page;
    if (page === undefined) throw new Error('a color scheme has no browser page');
    for (const [name, path, height] of [
      ['rollout', rollout, 1180],
      ['fleet', '/projects/door/devices', 760],
    ] as const) {
      await page.setViewportSize({ width: 1000, height });
      await page.goto(path);
      await page.screenshot({ path: `${folder}dashboard-${name}-${scheme}.png`, animations: 'disabled' });
    }
  }
}

/** Records all pages in both color schemes and three widths, to look at them; enabled only by the name of a folder. */
export async function takeLayoutPictures(
  visit: Awaited<ReturnType<typeof openBrowser>>,
  token: string,
  pages: readonly string[],
): Promise<void> {
  const to = process.env['LAYOUT_PICTURES'];
  if (to === undefined) return;
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page } = await visit({ colorScheme });
    await logIn(page, token);
    for (const width of [390, 1024, 1440]) {
      await page.setViewportSize({ width, height: 844 });
      for (const [index, path] of pages.entries()) {
        await page.goto(path);
        await page.screenshot({ path: `${to}/${width}-${colorScheme}-${index}.png`, fullPage: width === 1440 });
      }
    }
  }
}

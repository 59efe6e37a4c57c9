import { fileURLToPath } from 'node:url';
import type { Visit } from './browser.ts';

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

import { fileURLToPath } from 'node:url';
import type { Visit } from './browser.ts';

const folder = fileURLToPath(new URL('../../../docs/pictures/', import.meta.url));
const size = { width: 1100, height: 900 };

/** `npm run pictures` asks for them: what the documentation shows is what the test saw. */
export async function takePictures(visits: readonly Visit[], rollout: string): Promise<void> {
  if (process.env['DASHBOARD_PICTURES'] === undefined) return;
  for (const [index, scheme] of (['light', 'dark'] as const).entries()) {
    const page = visits[index]?.page;
    if (page === undefined) throw new Error('there is a visit for each scheme');
    await page.setViewportSize(size);
    for (const [name, path] of [
      ['rollout', rollout],
      ['fleet', '/projects/door/devices'],
    ] as const) {
      await page.goto(path);
      await page.screenshot({ path: `${folder}dashboard-${name}-${scheme}.png`, animations: 'disabled' });
    }
  }
}

/** The page of `ota-hooks ui` in a real browser, on a desktop and on a phone, with virtual devices. */
import test, { type ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import { fullDoor } from '../../support/built-sketch.ts';
import { listed, packedDoor, updatesOf, virtualDoor } from '../../support/fleet.ts';
import { openLocalPage } from '../../support/local-page.ts';
import { barriersOf, openBrowser } from '../dashboard/browser.ts';

const board = 'd1_mini';
const password = 'secret of the cellar';
const pictures = process.env['LOCAL_PAGE_PICTURES'];

async function start(t: ExecutionContext) {
  const hostname = `porch-${process.pid}-${Date.now()}`;
  const [kitchen, cellar, garage, broken] = await Promise.all([
    virtualDoor(t, { link: { windowBytes: 4096, rttMs: 20 } }),
    virtualDoor(t, { password, link: { windowBytes: 4096, rttMs: 20 } }),
    virtualDoor(t),
    virtualDoor(t),
    virtualDoor(t, { hostname, password, mdns: { board: 'ESP8266_WEMOS_D1MINI' } }),
  ]);
  const facts = { chipSizeBytes: 1024 * 1024, fsStart: 0x20000, fsEnd: 0x20000 };
  const folder = await packedDoor(
    t,
    {
      kitchen: listed(kitchen, { board }),
      cellar: listed(cellar, { board, password: { prompt: true } }),
      garage: listed(garage, { board, facts }),
      attic: listed(broken),
    },
    { board, upload: { hostIp: '127.0.0.1' } },
    fullDoor,
  );
  return { page: await openLocalPage(t, folder), kitchen, cellar, garage, host: `${hostname}.local` };
}

async function check(t: ExecutionContext, page: Page, name: string, width: number): Promise<void> {
  if (pictures !== undefined) await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
  t.deepEqual(await barriersOf(page), [], name);
  t.true(
    (await page.evaluate<number>('document.documentElement.scrollWidth')) <= width,
    `${name} fits ${width} pixels`,
  );
  const small = await page.evaluate<string[]>(
    `[...document.querySelectorAll('button, a:not(.skip), summary, input:not([type=hidden]), label.check')]
      .filter((each) => each.type !== 'checkbox' && each.getBoundingClientRect().height < 44)
      .map((each) => each.outerHTML)`,
  );
  t.deepEqual(small, [], `${name}: targets of at least 44 pixels`);
}

for (const { width, height, colorScheme } of [
  { width: 1440, height: 900, colorScheme: 'light' },
  { width: 390, height: 844, colorScheme: 'dark' },
] as const) {
  test(`adds and updates devices at ${width} pixels, in ${colorScheme} colors and with a keyboard`, async (t) => {
    const { page: served, kitchen, cellar, garage, host } = await start(t);
    const visit = await openBrowser(t, served.origin);
    const { context, page, complaints } = await visit({ viewport: { width, height }, colorScheme, bypassCSP: true });
    const strict = await visit({ viewport: { width, height }, colorScheme });
    await strict.page.goto(served.url);
    await page.goto(served.url);
    t.false(page.url().includes('token'), 'the address bar does not show the token');
    t.is((await context.cookies()).length, 1);
    await page.getByRole('heading', { name: host }).waitFor();
    await check(t, page, `devices-${width}`, width);
    t.regex(await page.locator('main').innerText(), /flash-size[\s\S]*no board/);
    t.is(await page.getByRole('button', { name: 'Update garage' }).count(), 0);

    // Two devices, one of which needs a password. Only the keyboard is used.
    await page.getByRole('button', { name: 'Update all 2 devices' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Password' }).waitFor();
    await check(t, page, `password-${width}`, width);
    await page.keyboard.type(password);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Devices', exact: true }).waitFor();
    await page.getByRole('progressbar', { name: 'Progress of kitchen' }).waitFor();
    await strict.page.getByRole('progressbar', { name: 'Progress of kitchen' }).waitFor();
    await check(t, page, `progress-${width}`, width);
    await page.getByRole('button', { name: 'Send again kitchen' }).waitFor();
    await page.getByRole('button', { name: 'Send again cellar' }).waitFor();
    await check(t, page, `updated-${width}`, width);
    t.deepEqual(updatesOf(garage), []);
    for (const device of [kitchen, cellar]) t.true(updatesOf(device).includes('accepted'));

    await page.getByRole('link', { name: `Add… ${host}` }).click();
    await page.getByLabel('Name').fill('porch');
    await page.getByLabel('Board that').fill('nodemcuv2');
    await page.getByRole('button', { name: 'Add' }).click();
    await page.getByRole('alert').filter({ hasText: 'announces board' }).waitFor();
    await check(t, page, `add-${width}`, width);
    await page.getByLabel('Board that').fill(board);
    await page.getByRole('button', { name: 'Add' }).click();
    await page.getByRole('heading', { name: 'porch', exact: true }).waitFor();
    const kept = await page.evaluate<string>(
      'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])',
    );
    t.is(kept, '[{},{},""]', 'the browser stores nothing that scripts can read');
    t.false(served.shown().includes(password));
    t.deepEqual(
      [...complaints, ...strict.complaints].filter((each) => !each.includes('422')),
      [],
    );
  });
}

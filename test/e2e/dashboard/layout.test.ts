/** The layout of the pages in a real browser, from the narrowest phone to a wide screen. */
import test from 'ava';
import { barriersOf, logIn, openBrowser } from './browser.ts';
import { layoutOf, smallTargets } from './measure-layout.ts';
import { takeLayoutPictures } from './pictures.ts';
import { seededFleet } from './seeded-fleet.ts';

const widths = [320, 390, 768, 1024, 1440];
const phone = { width: 390, height: 844 };

test('keeps MACs, versions and times in one line at every width, with targets of 44 px on a phone', async (t) => {
  const { server, rollout, failed } = await seededFleet(t);
  const pages = [
    '/',
    '/projects/door/devices',
    `/projects/door/devices/${failed}`,
    '/projects/door/releases',
    '/projects/door/devices?sort=-seen&column=status&column=board&column=core&column=labels',
    '/projects/door/rollouts',
    rollout,
    '/projects/door/charts',
    '/audit',
  ];
  const visit = await openBrowser(t, server.url);
  const { page, complaints } = await visit();
  await logIn(page, server.token);
  for (const each of pages) {
    await page.goto(each);
    await page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })");
    for (const width of widths) {
      await page.setViewportSize({ width, height: 844 });
      const { wraps, measured, width: found } = await layoutOf(page);
      t.deepEqual(wraps, [], `${each} at ${width} px`);
      t.true(measured > 0, `${each} shows something to measure`);
      t.true(found <= width, `${each} at ${width} px is ${found} pixels wide`);
      if (width === 390) t.deepEqual(await smallTargets(page), [], `${each} at ${width} px`);
    }
  }
  await takeLayoutPictures(visit, server.token, pages);
  t.deepEqual(complaints, []);
});

test('offers to resume a halted rollout at the top of its page, one tap from the cause', async (t) => {
  const { server, rollout } = await seededFleet(t, 4);
  const visit = await openBrowser(t, server.url);
  const { page } = await visit({ viewport: phone, bypassCSP: true });
  await logIn(page, server.token);
  await page
    .getByRole('status')
    .getByRole('link', { name: /^Rollout of door/ })
    .click();
  await page
    .getByRole('status')
    .filter({ hasText: /Reason: 1 device failed/ })
    .waitFor();
  t.is(new URL(page.url()).pathname, rollout);
  t.regex(await page.title(), /: halted · ota-hooks$/);
  const resume = page.getByRole('button', { name: 'Resume' });
  t.true(((await resume.boundingBox())?.y ?? Number.POSITIVE_INFINITY) < phone.height, 'without scrolling');
  t.deepEqual(await barriersOf(page), []);
  await page.getByLabel('Accept all current failures').check();
  await resume.click();
  await page.getByRole('status').filter({ hasText: 'active' }).waitFor();
  t.regex(await page.title(), /: active · ota-hooks$/);
});

test('puts the focus on the token field, and names the page after what happened', async (t) => {
  const { server, failed } = await seededFleet(t, 4);
  const visit = await openBrowser(t, server.url);
  const { page } = await visit({ viewport: phone, timezoneId: 'Asia/Tokyo', locale: 'en-US' });
  await page.goto('/login');
  await page.keyboard.type('ota_wrong');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').waitFor();
  t.is(await page.title(), 'Invalid or revoked token · Log in · ota-hooks');
  await page.keyboard.type(server.token);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Projects' }).waitFor();
  await page.goto('/projects/door/devices/18:FE:34:FF:FF:FF');
  t.regex(await page.title(), /Not found · ota-hooks$/);

  await page.goto(`/projects/door/devices/${failed}`);
  t.regex(await page.title(), /kitchen-door: failed · ota-hooks$/);
  const crumbs = page.getByRole('navigation', { name: 'Breadcrumb' });
  t.deepEqual(await crumbs.getByRole('listitem').allInnerTexts(), ['ota-hooks', 'door', 'Devices', 'kitchen-door']);
  const time = page.locator('time').first();
  const exact = await time.getAttribute('datetime');
  await time.hover();
  const hour = (Number(exact?.slice(11, 13)) + 9) % 24;
  t.regex(
    (await time.getAttribute('title')) ?? '',
    new RegExp(`, 2026, ${hour % 12 || 12}:.* ${hour < 12 ? 'AM' : 'PM'}$`),
  );
  await crumbs.getByRole('link', { name: 'Devices' }).click();
  await page.getByRole('heading', { level: 1, name: 'Devices' }).waitFor();
});

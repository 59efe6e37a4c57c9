/** The dashboard in a real browser, with a real server and thirty virtual devices. */
import test, { type ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import { testBuild } from '../../server/builds.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { startTestServer } from '../../server/running-server.ts';
import { barriersOf, logIn, openBrowser } from './browser.ts';
import { takePictures } from './pictures.ts';
import { rehearsal } from './rehearsal.ts';

const schemes = ['light', 'dark'] as const;

test('shows a staged rollout live until a failed device halts it, in both color schemes', async (t) => {
  const { server, begin, startDevices } = await rehearsal(t);
  const visit = await openBrowser(t, server.url);
  const visits = await Promise.all(schemes.map((colorScheme) => visit({ colorScheme })));
  for (const { page } of visits) await logIn(page, server.token);

  const id = await begin();
  const path = `/projects/door/rollouts/${id}`;
  const loads = new Map<Page, number>();
  for (const { page } of visits) {
    await page.goto(path);
    page.on('load', () => loads.set(page, (loads.get(page) ?? 0) + 1));
  }
  const seen = async (page: Page, text: string | RegExp) => {
    await page.getByRole('status').filter({ hasText: text }).waitFor();
  };
  const allSee = (text: string | RegExp) => Promise.all(visits.map(({ page }) => seen(page, text)));
  // The rollout does not change until all pages show this state.
  await allSee('1 of 3 stages open');
  const { broken, startBroken } = await startDevices();
  await allSee('2 of 3 stages open');
  await startBroken();
  await allSee(/halted.*1 .*failed/);
  for (const { page } of visits) {
    t.regex(await page.locator('.stages li').nth(0).innerText(), /kitchen-door, porch-light[\s\S]*2 updated/);
    t.regex(await page.locator('.stages li').nth(1).innerText(), /1 failed/);
    t.notRegex(
      await page.locator('.stages li').nth(2).innerText(),
      /\d updated|updating/,
      'no further devices are updated',
    );
    t.is(await page.locator('.chart svg path').count(), 3);
    t.is(loads.get(page), undefined, 'the page was not reloaded');
  }
  const [light] = visits;
  const { page } = light ?? (await visit());
  await page.goto('/projects/door/devices?state=failed');
  t.is(await page.locator('tbody tr').count(), 1);
  await page.getByRole('link', { name: broken }).click();
  await page.getByRole('heading', { level: 1, name: broken }).waitFor();
  t.regex(await page.locator('main').innerText(), /Stage 2 of 3: failed\./);

  await t.notThrowsAsync(takePictures(visits, path));
  const pages = [
    '/login',
    '/',
    '/api',
    '/projects/door/devices',
    page.url(),
    '/projects/door/releases',
    '/projects/door/rollouts',
    path,
    '/projects/x',
  ];
  for (const colorScheme of schemes) {
    const checked = await visit({ colorScheme, bypassCSP: true });
    const narrow = await visit({ colorScheme, viewport: { width: 360, height: 740 } });
    await logIn(checked.page, server.token);
    await logIn(narrow.page, server.token);
    for (const each of pages) {
      await checked.page.goto(each);
      await checked.page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })");
      t.deepEqual(await barriersOf(checked.page), [], `${colorScheme}: ${each}`);
      await narrow.page.goto(each);
      const width = await narrow.page.evaluate<number>('document.documentElement.scrollWidth');
      t.true(width <= 360, `${each} is ${width} pixels wide`);
    }
  }
  for (const { complaints } of visits) t.deepEqual(complaints, []);
});

test('supports login, skip link, device filter, pause and abort with only a keyboard', async (t) => {
  const { server, rollout } = await calmFleet(t);
  const visit = await openBrowser(t, server.url);
  const { page, complaints } = await visit();
  const press = async (...keys: readonly string[]) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  /** Presses Tab until the element with this accessible name has the focus. */
  const tabTo = async (name: string) => {
    for (let count = 0; count < 30; count++) {
      await press('Tab');
      if ((await focusedName(page)) === name) return;
    }
    t.fail(`Tab does not reach ${name}`);
  };
  await page.goto('/');
  await tabTo('Token');
  await page.keyboard.type(server.token);
  await press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Projects' }).waitFor();
  await tabTo('Skip to content');
  await press('Enter');
  await tabTo('door');
  await press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Devices' }).waitFor();
  await tabTo('Name or MAC');
  await page.keyboard.type('hall');
  await press('Enter');
  await page.waitForURL(/q=hall/);
  t.is(await page.locator('tbody tr').count(), 3);
  await page.goto(rollout);
  await tabTo('Pause');
  await press('Enter');
  await page.getByRole('status').filter({ hasText: 'paused' }).waitFor();
  await tabTo('Abort…');
  await press('Enter');
  await tabTo('Reason');
  // Live updates must neither close the open form nor clear its input.
  await page.keyboard.type('enough');
  await server.api('PUT', '/projects/door/devices/5C:CF:7F:51:00:03', { name: 'renamed' });
  await server.api('POST', `${rollout}/resume`, {});
  await page.getByRole('status').filter({ hasText: 'active' }).waitFor();
  t.is(await focusedName(page), 'Reason');
  await press('Enter');
  await page.getByRole('status').filter({ hasText: 'aborted' }).waitFor();
  t.regex(await page.locator('main').innerText(), /enough/);
  t.deepEqual(complaints, []);
});

test('supports login, device list, pause, rollback and logout without JavaScript', async (t) => {
  const { server, rollout } = await calmFleet(t);
  const visit = await openBrowser(t, server.url);
  const { page } = await visit({ javaScriptEnabled: false });
  await logIn(page, server.token);
  await page.goto('/projects/door/devices');
  t.is(await page.locator('tbody tr').count(), 30);
  await page.goto(rollout);
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('status').filter({ hasText: 'paused' }).waitFor();
  await page.getByText('Roll back…').click();
  await page.getByRole('button', { name: 'Roll back' }).click();
  await page.getByRole('status').filter({ hasText: 'rolled back' }).waitFor();
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('heading', { level: 1, name: 'Log in' }).waitFor();
});

test('enrolls a device of a shared alias from the overview, also on a phone', async (t) => {
  const { server } = await rehearsal(t);
  const mac = '18:FE:AA:AA:AA:BB';
  const alias = '/esp/update/arduino.php';
  for (const project of ['door', 'a-project-with-a-rather-long-name-for-a-phone']) {
    t.is((await server.api('PUT', `/projects/${project}`, { aliases: [{ path: alias }] })).status, 200);
  }
  t.is((await requestAsDevice(server.port, alias, { mac, version: 'v'.repeat(60) })).status, 304);
  const visit = await openBrowser(t, server.url);
  const { page, complaints } = await visit({ bypassCSP: true, viewport: { width: 360, height: 740 } });
  await logIn(page, server.token);
  await page.getByRole('heading', { name: 'Not enrolled' }).waitFor();
  t.deepEqual(await barriersOf(page), []);
  t.true((await page.evaluate<number>('document.documentElement.scrollWidth')) <= 360);
  t.is(await page.getByRole('button', { name: /^Enroll in / }).count(), 2);
  await page.getByRole('button', { name: 'Enroll in door' }).click();
  await page.getByRole('heading', { level: 1, name: mac }).waitFor();
  await page.goto('/');
  await page.getByRole('heading', { level: 1, name: 'Projects' }).waitFor();
  t.is(await page.getByRole('heading', { name: 'Not enrolled' }).count(), 0);
  t.is((await requestAsDevice(server.port, alias, { mac })).status, 200);
  t.deepEqual(complaints, []);
});

test('yanks the selected images of a version, and keeps the selection during live updates', async (t) => {
  const server = await startTestServer(t);
  const publish = async (version: string, board: string, seed: number) => {
    const recipe = { project: 'door', compression: 'none', sizeBytes: 8192 } as const;
    t.is((await server.publish(await testBuild({ ...recipe, version, board, seed }))).status, 201);
  };
  await publish('1.3.0', 'd1_mini', 1);
  await publish('1.3.0', 'nodemcu', 2);
  const visit = await openBrowser(t, server.url);
  const { page, complaints } = await visit({ bypassCSP: true });
  await logIn(page, server.token);
  await page.goto('/projects/door/releases');
  await page.getByText('Yank 1.3.0 (2 images)…').click();
  await page.getByLabel('sketch for nodemcu').uncheck();
  await page.getByLabel('Reason').fill('it smokes');
  t.deepEqual(await barriersOf(page), []);
  await page.getByRole('heading', { level: 1 }).click();
  await publish('1.4.0', 'd1_mini', 3);
  await page.getByRole('heading', { level: 2, name: '1.4.0' }).waitFor();
  await page.getByRole('button', { name: 'Yank the selected images' }).click();
  await page.getByText('Yank 1.3.0 (1 image)…').waitFor();
  t.deepEqual(
    (await server.parts.store.catalog.withVersion('door', '1.3.0')).map(({ board }) => board),
    ['nodemcu'],
  );
  t.deepEqual(complaints, []);
});

/** A fleet with a rollout. No devices are running. */
async function calmFleet(t: ExecutionContext) {
  const { server, begin } = await rehearsal(t);
  const id = await begin();
  return { server, rollout: `/projects/door/rollouts/${id}` };
}

/** Accessible name of the focused element, simplified to what this test needs. */
function focusedName(page: Page): Promise<string> {
  return page.evaluate<string>(
    '(({ labels, textContent }) => (labels?.[0] ?? { textContent }).textContent.trim())(document.activeElement)',
  );
}

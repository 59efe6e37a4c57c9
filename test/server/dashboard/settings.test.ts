import { generateKeyPairSync } from 'node:crypto';
import test from 'ava';
import { auditBy } from '../audit-by.ts';
import { type Dashboard, testDashboard } from './browsing.ts';

const page = '/projects/door/settings';

function newKeys() {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
const { publicPem, privatePem } = newKeys();

async function adminOf({ tokenOf, browser }: Dashboard) {
  const { id, token } = await tokenOf('admin');
  const user = browser();
  await user.post('/login', { token });
  return { id, user };
}

test('saves all settings of a project with a form, and records who did it', async (t) => {
  const dashboard = await testDashboard(t);
  const { parts } = dashboard;
  const { id, user } = await adminOf(dashboard);
  const fields = {
    access: 'closed',
    newKeys: publicPem,
    aliases: '/esp/update/arduino.php\r\n/esp/beta=beta',
    user: 'esp',
    password: 'correct horse',
    confirmWithin: '90',
    mostSends: '5',
    stalledAfter: '48',
    rules: 'no-ota, fs-moved',
    checkInDays: '7',
    attemptDays: '',
    auditDays: '400',
  };
  const saved = await user.send(page, page, fields);
  t.is(saved.status, 303, saved.text);
  t.regex((await user.get(saved.headers.get('location') ?? '')).text, /role="status">Settings saved/);
  const project = parts.catalog.view('door')?.project;
  t.like(project, {
    access: 'closed',
    aliases: [
      { path: '/esp/update/arduino.php', channel: 'stable' },
      { path: '/esp/beta', channel: 'beta' },
    ],
    confirmWithinMs: 5_400_000,
    mostSends: 5,
    stalledAfterMs: 172_800_000,
    publisherRules: ['no-ota', 'fs-moved'],
    history: { checkInDays: 7, auditDays: 400 },
  });
  t.is(project?.credential?.user, 'esp');
  t.is(project?.keys.length, 1);
  const [entry] = await parts.store.audit.list({ limit: 1 });
  t.like(entry, { actor: id, action: 'project.changed', project: 'door' });
  t.false(JSON.stringify(entry).includes('correct horse'));

  // A form without changes keeps the keys and the password.
  t.is((await user.send(page, page, await shownFields(user))).status, 303);
  t.deepEqual(parts.catalog.view('door')?.project, project);
  const fingerprint = project?.keys[0]?.fingerprint ?? '';
  const without = { ...(await shownFields(user)), [`key-${fingerprint}`]: 'no', user: '' };
  t.is((await user.send(page, page, without)).status, 303);
  t.deepEqual(parts.catalog.view('door')?.project.keys, []);
  t.is(parts.catalog.view('door')?.project.credential, undefined);
});

/** Returns the values of the text fields that the page shows. */
async function shownFields(user: Awaited<ReturnType<typeof adminOf>>['user']): Promise<Record<string, string>> {
  const { text } = await user.get(page);
  const inputs = [...text.matchAll(/<input id="(\w+)" name="\w+"[^>]*? value="([^"]*)"/g)];
  const areas = [...text.matchAll(/<textarea id="(\w+)"[^>]*>([^<]*)<\/textarea>/g)];
  const access = /<option value="(\w+)" selected/.exec(text)?.[1] ?? '';
  return { access, ...Object.fromEntries([...inputs, ...areas].map(([, name, value]) => [name, value ?? ''])) };
}

test('keeps the content of a settings form that is rejected, except secrets', async (t) => {
  const dashboard = await testDashboard(t);
  const { parts } = dashboard;
  const { user } = await adminOf(dashboard);
  const before = parts.catalog.view('door')?.project;
  const fields = await shownFields(user);
  const cases: readonly (readonly [Record<string, string>, number, RegExp])[] = [
    [{ newKeys: privatePem }, 422, /private key/],
    [{ aliases: `/${'x'.repeat(500)}` }, 422, /must be a path such as/],
    [{ user: 'x'.repeat(500), password: 'long enough' }, 422, /must be 1 to 64 characters without a colon/],
    [{ user: 'esp' }, 422, /The user name was changed without a password/],
    [{ rules: 'no-such-rule' }, 422, /Unknown rule no-such-rule/],
    [{ mostSends: '21' }, 422, /mostSends/],
  ];
  for (const [wrong, status, reason] of cases) {
    const refused = await user.send(page, page, { ...fields, ...wrong, confirmWithin: '77' });
    t.is(refused.status, status, refused.text);
    t.regex(refused.text, reason);
    t.regex(refused.text, /value="77"/, 'keeps the content');
    t.notRegex(refused.text, /BEGIN PRIVATE KEY|long enough/);
  }
  t.deepEqual(parts.catalog.view('door')?.project, before);
});

test('does not undo the settings that another person has saved meanwhile', async (t) => {
  const dashboard = await testDashboard(t);
  const { parts } = dashboard;
  const { user } = await adminOf(dashboard);
  const fields = await shownFields(user);
  const { text } = await user.get(page);
  const hidden = (name: string) => new RegExp(`name="${name}" value="([^"]+)"`).exec(text)?.[1] ?? '';
  const project = parts.catalog.view('door')?.project;
  if (project === undefined) throw new Error('the project exists');
  await parts.store.catalog.saveProject({ ...project, mostSends: 9 }, auditBy('other'));
  await parts.catalog.update();
  const late = await user.post(page, {
    ...fields,
    form: hidden('form'),
    before: hidden('before'),
    confirmWithin: '77',
  });
  t.is(late.status, 409);
  t.regex(late.text, /The settings were changed by another person/);
  t.regex(late.text, /value="77"/, 'keeps the content');
  t.is(parts.catalog.view('door')?.project.mostSends, 9);
});

test('shows the settings without a form to a reader', async (t) => {
  const { browserOf } = await testDashboard(t);
  const { text } = await (await browserOf('read')).get(page);
  t.regex(text, /Access<\/dt><dd>All devices/);
  t.notRegex(text, /action="\/projects\/door\/settings"/);
});

test('creates a project from the overview', async (t) => {
  const dashboard = await testDashboard(t);
  const { parts } = dashboard;
  const { id, user } = await adminOf(dashboard);
  const made = await user.send('/', '/projects', { name: 'gate' });
  t.is(made.headers.get('location'), '/projects/gate/settings?done=created');
  t.like((await parts.store.audit.list({ limit: 1 }))[0], { actor: id, action: 'project.created', project: 'gate' });
  t.is((await user.send('/', '/projects', { name: 'gate' })).status, 409);
  const long = await user.send('/', '/projects', { name: 'x'.repeat(500) });
  t.is(long.status, 422);
  t.regex(long.text, /name: must be 1 to 64/i);
  const limited = await dashboard.browserOf('admin', 'window');
  t.notRegex((await limited.get('/')).text, /action="\/projects"/);
  const form = /name="form" value="([^"]+)"/.exec((await limited.get('/')).text)?.[1] ?? '';
  t.is((await limited.post('/projects', { form, name: 'mine' })).status, 403);
});

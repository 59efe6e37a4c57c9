import { readFileSync } from 'node:fs';
import test from 'ava';
import { defaultLoaders } from 'cosmiconfig';
import * as v from 'valibot';
import { readTemplate } from './files.ts';

const variables = v.optional(v.record(v.string(), v.string()), {});
const stepSchema = v.object({
  name: v.optional(v.string()),
  uses: v.optional(v.string()),
  run: v.optional(v.string()),
  with: v.optional(v.record(v.string(), v.unknown()), {}),
  env: variables,
});
const jobSchema = v.object({
  needs: v.optional(v.string()),
  if: v.optional(v.string()),
  environment: v.optional(v.string()),
  'timeout-minutes': v.number(),
  permissions: v.record(v.string(), v.string()),
  outputs: v.optional(v.record(v.string(), v.string())),
  env: variables,
  steps: v.array(stepSchema),
});
const workflowSchema = v.object({
  on: v.record(v.string(), v.unknown()),
  permissions: v.record(v.string(), v.string()),
  env: variables,
  jobs: v.strictObject({ build: jobSchema, sign: jobSchema }),
});

const paths = ['ci/github-platformio.yml', 'ci/github-arduino-cli.yml'];

for (const path of paths) {
  const text = readTemplate(path);
  const load = async () => v.parse(workflowSchema, await defaultLoaders['.yaml'](path, text));

  test(`${path}: has read-only permissions, time limits and no privileged triggers`, async (t) => {
    const { on, permissions, jobs } = await load();
    t.deepEqual(permissions, {});
    for (const job of [jobs.build, jobs.sign]) {
      t.deepEqual(job.permissions, { contents: 'read' });
      t.true(job['timeout-minutes'] <= 30);
    }
    t.deepEqual(Object.keys(on).sort(), ['pull_request', 'push']);
  });

  test(`${path}: pins every action to a commit, names its version and uses no cache`, (t) => {
    const uses = text.match(/^ +- uses: .*$/gm) ?? [];
    t.true(uses.length >= 8);
    for (const line of uses) t.regex(line, /- uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    t.notRegex(text, /actions\/cache|cache:/, 'a cache could pass files between builds');
  });

  test(`${path}: the build has no secrets and keeps no credentials`, async (t) => {
    const { build } = (await load()).jobs;
    t.is(build.environment, undefined);
    t.notRegex(JSON.stringify(build), /secrets\.|sign --|private-key/);
    t.is(build.steps[0]?.with['persist-credentials'], false);
  });

  test(`${path}: the build packs unsigned, has no private key and outputs digests`, async (t) => {
    const { build } = (await load()).jobs;
    const commands = build.steps.map(({ run = '' }) => run).join('\n');
    t.regex(commands, /ota-hooks pack "\$IMAGE" .*--public-key "\$PUBLIC_KEY" --unsigned/);
    t.regex(commands, /test ! -e .*private\.key/);
    t.regex(commands, /sha256sum -- \* > SHA256SUMS/);
    t.deepEqual(Object.keys(build.outputs ?? {}), ['sums']);
    const upload = build.steps.at(-1);
    t.regex(upload?.uses ?? '', /^actions\/upload-artifact@/);
    t.like(upload?.with, { path: 'release/', 'if-no-files-found': 'error' });
  });

  test(`${path}: signing requires the build, a tag and the protected environment`, async (t) => {
    const { sign } = (await load()).jobs;
    t.is(sign.needs, 'build');
    t.is(sign.if, "github.event_name == 'push' && github.ref_type == 'tag'");
    t.is(sign.environment, 'firmware-signing');
  });

  test(`${path}: signing checks out three files from the repository and runs none of them`, async (t) => {
    const { jobs, env } = await load();
    const [checkout] = jobs.sign.steps;
    t.is(checkout?.with['persist-credentials'], false);
    t.is(checkout?.with['sparse-checkout-cone-mode'], false);
    const files = String(checkout?.with['sparse-checkout']).replace(`\${{ env.PUBLIC_KEY }}`, env['PUBLIC_KEY'] ?? '');
    t.deepEqual(files.trim().split('\n'), ['/package.json', '/package-lock.json', `/${env['PUBLIC_KEY']}`]);
    const programs = jobs.sign.steps.flatMap(
      ({ run = '' }) => run.match(/\b(?:npm|npx|node|pio|arduino-cli)\b.*/g) ?? [],
    );
    t.deepEqual(
      programs.filter((line) => line.startsWith('np')),
      ['npm ci --ignore-scripts'],
    );
    t.notRegex(programs.join('\n'), /^(?:node |pio|arduino-cli|npx)/m);
  });

  test(`${path}: checks digests, signs with a key available only to this step, then verifies`, async (t) => {
    const { steps } = (await load()).jobs.sign;
    const place = (pattern: RegExp) => steps.findIndex(({ run = '', uses = '' }) => pattern.test(run + uses));
    const order = [
      place(/npm ci --ignore-scripts/),
      place(/download-artifact@/),
      place(/sha256sum --check --strict/),
      place(/ota-hooks sign "\$\{signer\[@\]\}" --manifest/),
      place(/ota-hooks verify "\$file" --public-key "\$PUBLIC_KEY"/),
      place(/upload-artifact@/),
    ];
    t.false(order.includes(-1));
    t.deepEqual(
      order,
      [...order].sort((a, b) => a - b),
    );
    const withSecrets = steps.filter((step) => JSON.stringify(step).includes('secrets.'));
    t.deepEqual(
      withSecrets.map(({ name }) => name),
      ['Sign'],
    );
    const lines = withSecrets[0]?.run?.split('\n') ?? [];
    t.deepEqual(lines.slice(0, 10), [
      'umask 077',
      'key="$RUNNER_TEMP/private.key"',
      `trap 'rm -f "$key"' EXIT`,
      'signer=(--public-key "$PUBLIC_KEY")',
      'if [ -z "$OTA_SIGNER_COMMAND" ]; then',
      `  printf '%s\\n' "$OTA_PRIVATE_KEY" > "$key"`,
      '  signer=(--private-key "$key")',
      '  if [ -n "$OTA_PASSPHRASE" ]; then signer+=(--passphrase-env OTA_PASSPHRASE); fi',
      'fi',
      'unset OTA_PRIVATE_KEY',
    ]);
  });

  test(`${path}: inserts no expressions into commands, where their values could be executed`, async (t) => {
    const { build, sign } = (await load()).jobs;
    for (const { run = '' } of [...build.steps, ...sign.steps]) t.false(run.includes('${{'), run);
  });

  test(`${path}: installs packages without running their scripts`, (t) => {
    for (const [line] of text.matchAll(/npm ci.*/g)) t.is(line, 'npm ci --ignore-scripts');
  });
}

test('both workflows have the same signing job', (t) => {
  const [first, second] = paths.map((path) => readTemplate(path).split('\n  sign:\n')[1]);
  t.truthy(first);
  t.is(first, second);
});

const actionSchema = v.object({
  inputs: v.record(v.string(), v.object({ description: v.string(), default: v.string() })),
  runs: v.object({
    using: v.literal('composite'),
    steps: v.array(v.object({ ...stepSchema.entries, shell: v.literal('bash') })),
  }),
});
const loadAction = async () => {
  const path = 'ci/firmware-action/action.yml';
  return v.parse(actionSchema, await defaultLoaders['.yaml'](path, readTemplate(path)));
};

test('the action inserts no expressions into commands, and runs no scripts of packages', async (t) => {
  const { steps } = (await loadAction()).runs;
  for (const { run = '' } of steps) t.false(run.includes('${{'), run);
  t.true(steps.some(({ run }) => run === 'npm ci --ignore-scripts'));
});

test('the action passes the key only to the signing step and the token only to the step that changes the release', async (t) => {
  const { inputs, runs } = await loadAction();
  const withInput = (input: string) =>
    runs.steps.filter(({ env }) => JSON.stringify(env).includes(`inputs.${input}`)).map(({ name }) => name);
  t.deepEqual(withInput('private-key'), ['Sign']);
  t.deepEqual(withInput('passphrase'), ['Sign']);
  t.deepEqual(withInput('signer-pin'), ['Sign']);
  t.deepEqual(withInput('token'), ['Attach the files to the release']);
  t.is(inputs['private-key']?.default, '');
});

test('docs/ci.md uses only inputs and outputs that the action declares', async (t) => {
  const { inputs } = await loadAction();
  const page = readFileSync(new URL('../../docs/ci.md', import.meta.url), 'utf8');
  const used = [...page.matchAll(/uses: \.\/\.github\/actions\/firmware\n +with:\n((?: {10}.*\n)+)/g)].flatMap(
    ([, block = '']) => [...block.matchAll(/^ {10}([\w-]+):/gm)].map(([, name = '']) => name),
  );
  t.true(used.length > 5);
  t.deepEqual(
    used.filter((name) => !Object.hasOwn(inputs, name)),
    [],
  );
});

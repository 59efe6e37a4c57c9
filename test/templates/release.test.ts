import { readFileSync } from 'node:fs';
import test from 'ava';
import { defaultLoaders } from 'cosmiconfig';
import { execa } from 'execa';
import { testFolder } from '../support/test-folder.ts';

const path = new URL('../../.ci/github-release.yml', import.meta.url);
const text = readFileSync(path, 'utf8');

test('the release workflow publishes with provenance in the only job that can request an identity token', (t) => {
  const { permissions, jobs } = defaultLoaders['.yaml']('release.yml', text);
  t.deepEqual(permissions, {});
  t.deepEqual(jobs.build.permissions, { contents: 'read' });
  t.deepEqual(jobs.publish.permissions, { contents: 'read', 'id-token': 'write' });
  t.is(jobs.publish.environment, 'npm');
  const commands = jobs.publish.steps.map(({ run = '' }) => run).join('\n');
  t.regex(commands, /npm publish --provenance --access public --ignore-scripts release\/\*\.tgz/);
  t.notRegex(commands, /npm (?:ci|install|run)/);
  t.notRegex(text, /secrets\.|NODE_AUTH_TOKEN|cache:/);
});

test('the release workflow pins every action and inserts no expressions into commands', (t) => {
  for (const line of text.match(/^ +- uses: .*$/gm) ?? []) {
    t.regex(line, /- uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  }
  const { jobs } = defaultLoaders['.yaml']('release.yml', text);
  for (const { run = '' } of [...jobs.build.steps, ...jobs.publish.steps]) t.false(run.includes('${{'), run);
});

test('the release workflow records its repository in package.json and rejects a different one', async (t) => {
  const { jobs } = defaultLoaders['.yaml']('release.yml', text);
  const names: readonly string[] = jobs.build.steps.map(({ name = '' }) => name);
  const at = names.findIndex((name) => name.startsWith('Name this repository'));
  t.true(at < names.findIndex((name) => name.startsWith('Pack the package')));
  const env = { GITHUB_SERVER_URL: 'https://git.example.com', GITHUB_REPOSITORY: 'ada/ota-hooks' };
  const repository = { type: 'git', url: 'git+https://git.example.com/ada/ota-hooks.git' };
  for (const before of [undefined, repository]) {
    const folder = await testFolder(t, { 'package.json': JSON.stringify({ name: 'x', repository: before }) });
    await execa('bash', ['-e', '-c', jobs.build.steps[at].run], { cwd: folder.path, env });
    t.deepEqual(JSON.parse(await folder.text('package.json')), { name: 'x', repository });
  }
  const other = { type: 'git', url: 'git+https://git.example.com/eve/ota-hooks.git' };
  const folder = await testFolder(t, { 'package.json': JSON.stringify({ repository: other }) });
  const run = await execa('bash', ['-e', '-c', jobs.build.steps[at].run], { cwd: folder.path, env, reject: false });
  t.is(run.exitCode, 1);
  t.regex(run.stdout, /^::error file=package\.json::repository\.url is .*eve.*, but this workflow runs in .*ada/);
});

test('the bill of materials lists exactly the dependencies and the bundled packages', async (t) => {
  const { stdout } = await execa('npm', ['run', '--silent', 'sbom']);
  const { bomFormat, metadata, components } = JSON.parse(stdout);
  t.is(bomFormat, 'CycloneDX');
  t.is(metadata.component.name, 'ota-hooks');
  const names: readonly string[] = components.map(({ name }: { name: string }) => name);
  for (const name of ['execa', 'commander', 'hono', 'kysely', 'cosmiconfig']) t.true(names.includes(name), name);
  for (const name of ['ava', 'typescript', 'playwright-core']) t.false(names.includes(name), name);
});

/** Tries every source for every use, as a project configuration and as the user. */
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import {
  kindOfVariable,
  type NamedSource,
  requirePermission,
  type SecretUse,
  type SourceKind,
  secretPolicy,
} from '../../../src/core/model/secret-policy.ts';
import { OtaError } from '../../../src/errors/ota-error.ts';
import { projectTrust } from '../../../src/project/config/project-trust.ts';
import { asListed, userConfigKeys } from '../../../src/project/config/user-config.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';
import { countAttacks } from '../support/attack-counts.ts';

const uses: readonly SecretUse[] = ['device-password', 'passphrase', 'private-key', 'destination', 'version'];
const kinds = Object.keys(secretPolicy) as SourceKind[];

/** An example of each kind of source. */
function example(kind: SourceKind, folder: TestFolder): NamedSource {
  const examples: Readonly<Record<SourceKind, NamedSource>> = {
    'device-variable': { env: 'OTA_DEVICE_KITCHEN' },
    'tool-passphrase': { env: 'OTA_PASSPHRASE' },
    'passphrase-variable': { env: 'DOOR_PASSPHRASE' },
    'tool-private-key': { env: 'OTA_PRIVATE_KEY' },
    'server-variable': { env: 'OTA_SERVER' },
    'version-variable': { env: 'FIRMWARE_VERSION' },
    'tool-credential': { env: 'OTA_TOKEN' },
    'other-variable': { env: 'GITHUB_TOKEN' },
    'project-file': { file: folder.at('tree/door.password') },
    'version-file': { file: folder.at('tree/VERSION') },
    'credential-file': { file: folder.at('tree/.git/config') },
    'outside-file': { file: folder.at('home/note') },
    server: { server: 'https://ota.example.com' },
  };
  return examples[kind];
}

async function world(t: ExecutionContext) {
  const folder = await testFolder(t, {
    'tree/door.password': '',
    'tree/VERSION': '',
    'tree/.git/config': '',
    'home/note': '',
  });
  const words = { env: {}, platform: 'linux', home: folder.at('home'), userId: process.geteuid?.() } as const;
  const trust = projectTrust([folder.at('tree'), folder.at('tree')], 'ota.config.json', words);
  await mkdir(folder.at('home/.config/ota-hooks'), { recursive: true, mode: 0o700 });
  const allow = (projects: object) =>
    writeFile(folder.at('home/.config/ota-hooks/config.json'), JSON.stringify({ projects }), { mode: 0o600 });
  return { folder, trust, allow };
}

function outcome(run: () => void): string {
  try {
    run();
    return 'allowed';
  } catch (error) {
    return error instanceof OtaError ? error.code : String(error);
  }
}

for (const kind of kinds) {
  for (const use of uses) {
    const permission = secretPolicy[kind][use];
    test(`${kind} as ${use}: ${permission}`, async (t) => {
      const { folder, trust, allow } = await world(t);
      const claim = { use, source: example(kind, folder), purpose: 'the secret' };
      const refusal = permission === 'never' ? 'SECRET_RESERVED' : 'SECRET_UNTRUSTED';
      const byProject = () => outcome(() => requirePermission(claim, 'project', trust));
      t.is(byProject(), permission === 'project' ? 'allowed' : refusal);
      countAttacks({ kind: 'cells of the secrets table', tried: 1, withstood: 1 });
      for (const speaker of ['command-line', 'environment', 'user-configuration'] as const) {
        t.is(
          outcome(() => requirePermission(claim, speaker, trust)),
          permission === 'never' ? refusal : 'allowed',
        );
      }
      if (permission === 'never') return;
      const entry = { [userConfigKeys[use]]: [asListed(use, claim.source)] };
      await allow({ [folder.at('home')]: entry });
      t.is(byProject(), permission === 'project' ? 'allowed' : refusal, 'allowed to another project only');
      await allow({ [folder.at('tree')]: entry });
      t.is(byProject(), 'allowed');
    });
  }
}

test('determines the kind of a variable by its name, in uppercase or lowercase', (t) => {
  const cases: Readonly<Record<string, SourceKind>> = {
    OTA_TOKEN: 'tool-credential',
    Ota_Token: 'tool-credential',
    OTA_TOKEN_STAGING: 'tool-credential',
    STAGING_OTA_TOKEN: 'tool-credential',
    AWS_SECRET_ACCESS_KEY: 'tool-credential',
    AWS_ACCESS_KEY_ID: 'tool-credential',
    PGPASSWORD: 'tool-credential',
    DATABASE_URL: 'tool-credential',
    OTA_S3_SECRET: 'tool-credential',
    OTA_MQTT_PASSWORD: 'tool-credential',
    OTA_MQTT_URL: 'tool-credential',
    OTA_PASSPHRASE: 'tool-passphrase',
    DOOR_PASSPHRASE: 'passphrase-variable',
    OTA_PRIVATE_KEY_DOOR: 'tool-private-key',
    OTA_DEVICE_: 'other-variable',
    OTA_DEVICE_X: 'device-variable',
    MY_OTA_DEVICE_X: 'other-variable',
    'OTA_DEVICE_X ': 'other-variable',
    OTA_UPLOAD_PASSWORD: 'device-variable',
    OTA_SERVER: 'server-variable',
    OTA_SERVERS: 'other-variable',
    GITHUB_SHA: 'version-variable',
    GITHUB_TOKEN: 'other-variable',
    BUILD_TOKEN: 'other-variable',
    VERSION_SECRET: 'other-variable',
    SHADOW: 'other-variable',
    BUILD_APIKEY: 'other-variable',
    BUILD_TOKEN2: 'other-variable',
    TOKENS_BUILD: 'other-variable',
    BUILD_SECRETS: 'other-variable',
    BUILD_PASSPHRASES: 'other-variable',
    BUILD_PW: 'other-variable',
    RELEASE_PIN: 'other-variable',
    BUILD_JWT: 'other-variable',
    BUILD_COMPAT_LEVEL: 'version-variable',
    CI_COMMIT_REF_NAME: 'version-variable',
    BUILD_SOURCEBRANCHNAME: 'version-variable',
    OTA_DEVICE_X_PASSPHRASE: 'device-variable',
  };
  for (const [name, kind] of Object.entries(cases)) t.is(kindOfVariable(name), kind, name);
});

test('docs/security.md contains exactly the permissions of the secret policy', (t) => {
  const page = readFileSync(new URL('../../../docs/security.md', import.meta.url), 'utf8');
  const start = page.indexOf('| source | ');
  const rows = page.slice(start, page.indexOf('\n\n', start)).split('\n').slice(2);
  const shown = rows.map((line) =>
    line
      .split('|')
      .slice(2, -1)
      .map((cell) => cell.trim()),
  );
  t.deepEqual(
    shown,
    kinds.map((kind) => uses.map((use) => secretPolicy[kind][use])),
  );
});

/** Escape sequences in a source tree: in file names, manifests, configurations, build settings and arguments. */
import { writeFile } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import type { OtaError } from '../../../src/errors/ota-error.ts';
import { packDoor } from '../../publishing/packed-door.ts';
import { door } from '../../support/built-sketch.ts';
import { propertyRuns } from '../../support/property-runs.ts';
import { runCli } from '../../support/run-cli.ts';
import { runCommand } from '../../support/run-command.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';
import { countAttacks } from '../support/attack-counts.ts';
import { hostileIn, hostileText } from './hostile-text.ts';

/** Runs a command and checks what it prints, including the error text that the CLI prints at its end. */
async function attack(
  t: ExecutionContext,
  argv: readonly string[],
  cwd: string,
  env = {},
): Promise<OtaError | undefined> {
  const { stdout, stderr, error } = await runCommand(argv, { cwd, env });
  t.is(hostileIn(stdout + stderr), undefined, argv.join(' '));
  if (argv.includes('--json') && stdout !== '') t.notThrows(() => JSON.parse(stdout), stdout);
  return error;
}

/** File names cannot contain slashes and null characters, and are at most 255 bytes long. */
function asFileName(text: string): string {
  return `f${text.replace(/[\0/]/g, '').slice(0, 60)}`;
}

const builds = await packDoor({ version: '1.0.0', board: 'd1_mini' });

test('shows file names and arguments without their control characters', async (t) => {
  let tried = 0;
  await fc.assert(
    fc.asyncProperty(hostileText, fc.boolean(), async (text, isJson) => {
      const folder = await testFolder(t, { 'private.key': door.privatePem, 'public.key': door.publicPem });
      const name = asFileName(text);
      await folder.write(`${name}.bin`, door.bin);
      await folder.write(`${name}.elf`, door.elf);
      await folder.write(`${name}.txt`, text);
      const more = isJson ? ['--json'] : ['--verbose'];
      for (const argv of [
        ['inspect', `${name}.bin`],
        ['inspect', `${name}.absent`],
        ['pack', `${name}.bin`, '--public-key', 'public.key', '--private-key', 'private.key', '--legacy'],
        ['verify', `${name}.bin.signed`, '--public-key', 'public.key'],
        ['sign', '--bin', `${name}.bin`, '--private-key', 'private.key'],
        ['sign', `${name}.txt`, '--private-key', 'private.key', '--out', `${name}.out`],
        ['signing', '--mode', 'sign', '--bin', `${name}.bin`, '--privatekey', 'private.key', '--out', `${name}.s`],
        ['signing', '--mode', 'header', '--publickey', `${name}.txt`, '--out', `${name}.h`],
        ['preflight', `${name}.bin.ota.json`],
        ['preflight', `${name}.txt`, '--device', `${name}.txt`],
        ['publish', `${name}.bin.ota.json`, '--to', `${name}.folder`, '--project', 'door', '--firmware-version', '1.0'],
        ['keygen', '--private-key', `${name}.txt`],
        ['keygen', '--private-key', `${name}.new`, '--public-key', `${name}.pub`],
        ['header', '--public-key', `${name}.txt`],
        ['espota', '-i', '127.0.0.1', '-f', `${name}.absent`],
        ['upload', `${name}.bin`, '--host', text],
        ['upload', `${name}.bin`, '--config', `${name}.txt`],
        ['server', 'devices', 'import', name, `${name}.txt`, '--server', 'http://127.0.0.1:1'],
        ['server', 'restore', `${name}.txt`, '--data', `${name}.data`],
        ['server', 'projects', 'set', name, '--public-key', `${name}.absent`, '--server', text],
        ['doctor', '--source', `${name}.absent`],
        [`no${text}`],
        ['inspect', `--no${text}`],
        ['publish', '--to', text],
      ]) {
        await attack(t, [...argv, ...more], folder.path, { OTA_TOKEN: 'x'.repeat(43) });
        tried++;
      }
    }),
    propertyRuns(8, 200),
  );
  countAttacks({ kind: 'terminal text from file names and arguments', tried, withstood: tried });
});

/** Replaces one value or one key of a JSON document with hostile text. */
function poisoned(document: unknown, text: string, at: number): unknown {
  let count = at;
  const walk = (value: unknown): unknown => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      const entries = Object.entries(value).map(([key, inner]) => [count-- === 0 ? key + text : key, walk(inner)]);
      return Object.fromEntries(entries);
    }
    if (Array.isArray(value)) return value.map(walk);
    return count-- === 0 ? text : value;
  };
  return walk(document);
}

const config = {
  project: 'door',
  version: '1.0',
  board: 'd1_mini',
  privateKey: 'private.key',
  publicKey: 'public.key',
  images: ['build/*.bin'],
  devices: {
    kitchen: { address: '127.0.0.1', port: 1, method: 'web', group: 'inside', board: 'd1_mini', path: '/update' },
  },
  upload: { attempts: 1, confirm: 'none', hostIp: '127.0.0.1' },
  publish: { to: './published', channel: 'stable' },
};

test('shows manifests and configurations without their control characters', async (t) => {
  const errors = new Set<string>();
  let tried = 0;
  const manifest: unknown = JSON.parse(Buffer.from(builds['door.ino.bin.ota.json'] ?? []).toString());
  const folder = await testFolder(t, { ...builds, 'private.key': door.privatePem, 'public.key': door.publicPem });
  const run = async (argv: readonly string[], place: TestFolder) => {
    const error = await attack(t, argv, place.path);
    errors.add(error?.code ?? 'done');
    tried++;
  };
  await fc.assert(
    fc.asyncProperty(hostileText, fc.nat(90), fc.boolean(), async (text, at, isJson) => {
      const more = isJson ? ['--json'] : [];
      await folder.write('m.json', JSON.stringify(poisoned(manifest, text, at)));
      await run(['preflight', 'm.json', ...more], folder);
      await run(['sign', '--manifest', 'm.json', '--private-key', 'private.key', ...more], folder);
      await run(['publish', 'm.json', '--to', './out', '--project', 'door', ...more], folder);
      const project = await testFolder(t, {
        'door.ino': 'void setup() {}',
        'ota.config.json': JSON.stringify(poisoned(config, text, at % 40)),
        'public.key': door.publicPem,
        'private.key': door.privatePem,
        'build/door.ino.bin': door.bin,
        'build/door.ino.elf': door.elf,
      });
      await run(['upload', '--all', ...more], project);
      await run(['pack', ...more], project);
      await run(['publish', ...more], project);
      await writeFile(project.at('ota.config.json'), `{"project": ${text}`);
      await run(['pack', ...more], project);
    }),
    propertyRuns(60, 2000),
  );
  t.true(errors.size > 6, [...errors].join(' '));
  countAttacks({ kind: 'terminal text from manifests and configurations', tried, withstood: tried });
});

test('shows build settings without their control characters', async (t) => {
  let tried = 0;
  await fc.assert(
    fc.asyncProperty(hostileText, async (text) => {
      const value = text.replaceAll('\n', '\n ');
      const ini = `[env:a${value}]\nplatform = ${value}\nextra_scripts = ${value}\ncustom_ota_x${value} = ${value}\n`;
      const project = await testFolder(t, { 'platformio.ini': ini, [`${asFileName(text)}.key`]: door.privatePem });
      for (const argv of [['doctor'], ['doctor', '--json'], ['init', '--yes'], ['init', '--undo', '--yes']]) {
        await attack(t, argv, project.path);
        tried++;
      }
    }),
    propertyRuns(5, 100),
  );
  countAttacks({ kind: 'terminal text from build settings', tried, withstood: tried });
});

test('prints the error of a process without control characters', async (t) => {
  const folder = await testFolder(t);
  const name = asFileName('\u001b[2J\nFORGED\u202egnp');
  for (const argv of [['inspect', name], ['inspect', name, '--json'], [name], ['pack', name, '--verbose']]) {
    const { stdout, stderr } = await runCli(argv, folder.path);
    t.is(hostileIn(stdout + stderr), undefined);
    t.regex(stderr, /\\u001b\[2J(?:\\u000a| )FORGED\\u202egnp/);
  }
  countAttacks({ kind: 'terminal text from file names and arguments', tried: 4, withstood: 4 });
});

/** The declarations of the installed package compile in a TypeScript project without other packages. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { apiExamples } from '../../docs/api-examples.ts';
import { repository } from '../../docs/pages.ts';
import { declarationFiles, problemsOf } from './declarations.ts';
import { type InstalledProject, installedProject } from './installed.ts';

const { dependencies, devDependencies } = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};

const consumer = `
import { type Config, OtaError, readPublicKey, type Signer } from 'ota-hooks';
import { type Build, packImage, signBuild } from 'ota-hooks/pack';
import { type DeviceFacts, type Manifest, plan } from 'ota-hooks/preflight';
import { startVirtualDevice, type VirtualDeviceOptions } from 'ota-hooks/simulator';
import { deliveryMethods, type DeliveryVerdict } from 'ota-hooks/upload';

export async function packed(image: Uint8Array, signer: Signer): Promise<Build> {
  const { build, warnings } = await packImage({ path: 'firmware.bin', image });
  const lines: readonly string[] = warnings;
  if (lines.length > 0) throw new Error(lines.join());
  return signBuild(build, signer, 'a signer');
}

/** The option publicKey must accept undefined with exactOptionalPropertyTypes. */
export const withKey = (image: Uint8Array, pem: string | undefined) =>
  packImage({ path: 'firmware.bin', image, publicKey: pem === undefined ? undefined : readPublicKey(pem, 'a key') });

export async function send(manifest: Manifest, build: Build, host: string, password?: string): Promise<DeliveryVerdict | undefined> {
  const facts: DeviceFacts = { core: '3.1.2', signing: 'required' };
  const decision = plan({ facts, target: manifest });
  if (decision.kind !== 'send') return undefined;
  const bytes = build.files.get(decision.artifact.file);
  if (bytes === undefined) return undefined;
  return deliveryMethods.espota.deliver({ host }, bytes, { kind: manifest.image.kind, password });
}

export async function rehearse(options?: VirtualDeviceOptions): Promise<number> {
  await using device = await startVirtualDevice(options);
  return device.otaPort;
}

export const config: Config = { project: 'door', devices: { kitchen: { address: '192.168.1.20' } } };
export const isUsage = (error: unknown): boolean => error instanceof OtaError && error.code === 'USAGE';
`;

/** Each line with a mistake states the error that the compiler must report there. */
const mistakes = `
import type { Config } from 'ota-hooks';
import type { DeviceFacts, Manifest } from 'ota-hooks/preflight';

export const config: Config = {
  projekt: 'door', // TS2561
};
export const manifest = (complete: Manifest): Manifest => {
  const { image, ...incomplete } = complete;
  return incomplete; // TS2741
};
export const facts: DeviceFacts = {
  chipSizeBytes: '4M', // TS2322
};
`;

const resolutions = { node16: { module: 'node16' }, bundler: { module: 'esnext', moduleResolution: 'bundler' } };

/** Writes one tsconfig per case. All have the same strict options, and only the global types of `types`. */
async function writeProject(project: InstalledProject, files: Readonly<Record<string, string>>, types: string[]) {
  const save = (name: string, text: string) => writeFile(join(project.folder, name), text);
  const manifest = JSON.parse(await readFile(join(project.folder, 'package.json'), 'utf8')) as object;
  await save('package.json', JSON.stringify({ ...manifest, type: 'module' }));
  for (const [name, text] of Object.entries(files)) await save(name, text);
  const strict = { strict: true, exactOptionalPropertyTypes: true, noEmit: true, target: 'es2022', types };
  for (const [name, resolution] of Object.entries(resolutions)) {
    for (const skipLibCheck of [true, false]) {
      const compilerOptions = { ...strict, ...resolution, skipLibCheck };
      await save(
        `tsconfig.${name}.${skipLibCheck}.json`,
        JSON.stringify({ compilerOptions, files: Object.keys(files) }),
      );
    }
  }
}

/** Compiler errors as `file(line): code`, for each tsconfig. */
async function compile(t: ExecutionContext, project: InstalledProject): Promise<readonly (readonly string[])[]> {
  const cases = (await readdir(project.folder)).filter((name) => name.startsWith('tsconfig.'));
  t.is(cases.length, 4);
  return Promise.all(
    cases.map(async (name) => {
      const { all = '' } = await project.run(['npx', 'tsc', '--pretty', 'false', '--project', name]);
      const lines = all.split('\n').filter((line) => line.includes('error TS'));
      return lines.map((line) => line.replace(/,\d+\): error (TS\d+):.*$/, '): $1'));
    }),
  );
}

test('a consumer compiles with only TypeScript installed, and its mistakes are reported', async (t) => {
  const project = await installedProject(t);
  await project.install(`typescript@${devDependencies['typescript']}`);
  await writeProject(project, { 'consumer.ts': consumer, 'mistakes.ts': mistakes }, []);
  const expected = mistakes.split('\n').flatMap((line, index) => {
    const code = /\/\/ (TS\d+)$/.exec(line)?.[1];
    return code === undefined ? [] : [`mistakes.ts(${index + 1}): ${code}`];
  });
  t.is(expected.length, 3);
  for (const errors of await compile(t, project)) t.deepEqual(errors, expected);
});

test('the programs of docs/api.md compile against the package and print the output on the page', async (t) => {
  const project = await installedProject(t);
  const versions = ['typescript', '@types/node'].map((name) => `${name}@${devDependencies[name]}`);
  await project.install(...versions, `tsx@${devDependencies['tsx']}`);
  await writeProject(project, Object.fromEntries(apiExamples.map(({ file, code }) => [file, code])), ['node']);
  for (const errors of await compile(t, project)) t.deepEqual(errors, []);

  const fixtures = { 'firmware.bin': 'firmware/door.bin', 'firmware.elf': 'firmware/door.elf' };
  const inputs = { ...fixtures, 'private.key': 'keys/test-only-private.pem' };
  for (const [name, path] of Object.entries(inputs)) {
    await writeFile(join(project.folder, name), await readFile(join(repository, 'test/fixtures', path)));
  }
  for (const { file, output = '' } of apiExamples) {
    const { all } = await project.run(['npx', 'tsx', file]);
    t.is(all, output.trimEnd(), file);
  }
});

test('declarations import only dependencies of the package', async (t) => {
  const folder = join(repository, 'dist/types');
  const paths = (await readdir(folder, { recursive: true })).filter((path) => path.endsWith('.d.ts'));
  t.true(paths.length > 50);
  for (const path of paths) {
    const text = (await readFile(join(folder, path), 'utf8')).replaceAll(/\/\*[\s\S]*?\*\//g, '');
    const names = [...text.matchAll(/(?:\bfrom |\bimport\(|\bimport )['"]([^'".][^'"]*)['"]/g)].map(
      ([, name = '']) => name,
    );
    t.deepEqual(
      names.filter((name) => !(name in dependencies)),
      [],
      path,
    );
  }
});

for (const [name, path] of declarationFiles) {
  test(`${name} exports every type in its signatures, and optional keys accept undefined`, (t) => {
    t.deepEqual(problemsOf(path), { unexported: [], inexact: [] });
  });
}

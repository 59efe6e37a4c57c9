import { cp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { testBuild, testSigner } from '../../server/builds.ts';
import { startTestServer, type TestServer } from '../../server/running-server.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';

const signer = testSigner();
export const firstBuild = await testBuild({ version: '1.0', project: 'door', signer });
export const secondBuild = await testBuild({ version: '2.0', project: 'door', signer, seed: 2 });

/** Data of a server that published a release and was then killed, as after a power failure. */
export interface CrashedData {
  readonly folder: TestFolder;
  /** Data folder. */
  readonly data: string;
  /** Admin token of the server. */
  readonly token: string;
}

/** Starts a server, publishes a release, and copies its data while it runs. The copy has the state that a killed server leaves behind. */
export async function crashedData(t: ExecutionContext): Promise<CrashedData> {
  const server = await startTestServer(t);
  t.is((await server.publish(firstBuild)).status, 201);
  const folder = await copyOf(t, server);
  await server.close(0);
  return { folder, data: folder.at('data'), token: server.token };
}

/** Data of a server that has published a release and was stopped. */
export async function stoppedData(t: ExecutionContext): Promise<CrashedData> {
  const server = await startTestServer(t);
  t.is((await server.publish(firstBuild)).status, 201);
  await server.close(0);
  const folder = await copyOf(t, server);
  return { folder, data: folder.at('data'), token: server.token };
}

export async function copyOf(t: ExecutionContext, server: TestServer): Promise<TestFolder> {
  const folder = await testFolder(t);
  await cp(server.folder, folder.at('data'), { recursive: true, preserveTimestamps: true });
  return folder;
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

export async function lose(...paths: readonly string[]): Promise<void> {
  for (const path of paths) await rm(path, { force: true });
}

/** Paths of the files that identify the database to which the blobs belong. */
export async function sealsIn(data: string): Promise<readonly string[]> {
  const names = await readdir(join(data, 'blobs'));
  return names.filter((name) => name.startsWith('database-')).map((name) => join(data, 'blobs', name));
}

import type { ExecutionContext } from 'ava';
import type { ReleaseInfo } from '../../../src/api/release-info.ts';
import { startServer } from '../../../src/server/start.ts';
import { testFolder } from '../../support/test-folder.ts';

export interface UpdateServer {
  readonly url: string;
  /** First admin token. */
  readonly token: string;
  /** Environment variables that a build needs to publish to this server. */
  readonly env: Readonly<Record<string, string>>;
  /** Releases as `1.0.0 sketch on stable`, newest first. */
  releases(project: string): Promise<string[]>;
}

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** Starts an update server for one test. */
export async function updateServer(t: ExecutionContext): Promise<UpdateServer> {
  const data = await testFolder(t);
  const server = await startServer({ data: data.path, host: '127.0.0.1', port: 0, log: silent });
  t.teardown(() => server.close(1000));
  const { url, token = '' } = server;
  return {
    url,
    token,
    env: { OTA_TOKEN: token, OTA_TOKEN_ORIGIN: new URL(url).origin },
    async releases(project) {
      const headers = { Authorization: `Bearer ${token}` };
      const response = await fetch(`${url}/api/v1/projects/${project}/releases`, { headers });
      if (response.status === 404) return [];
      const { releases } = (await response.json()) as { releases: ReleaseInfo[] };
      return releases.flatMap(({ version, images }) =>
        images.map(({ kind, channels }) => `${version} ${kind} on ${channels.join() || 'nothing'}`),
      );
    },
  };
}

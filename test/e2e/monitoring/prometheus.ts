import type { ExecutionContext } from 'ava';
import { execa } from 'execa';
import { freePort } from '../../support/free-port.ts';
import { testFolder } from '../../support/test-folder.ts';
import { aptInstall } from '../provision/apt.ts';

export const installPrometheus = () => aptInstall(['prometheus']);

export interface Prometheus {
  /** Requests a path of the HTTP API, and returns `data` of the response. */
  get(path: string): Promise<unknown>;
}

/** Starts a Prometheus server that scrapes and evaluates every second. */
export async function startPrometheus(t: ExecutionContext, config: string): Promise<Prometheus> {
  const folder = await testFolder(t);
  const often = 'global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }\n';
  const path = await folder.write('prometheus.yml', often + config);
  const address = `127.0.0.1:${await freePort()}`;
  const child = execa(
    'prometheus',
    [`--config.file=${path}`, `--storage.tsdb.path=${folder.at('data')}`, `--web.listen-address=${address}`],
    { reject: false, all: true },
  );
  t.teardown(async () => {
    child.kill('SIGTERM');
    await child;
  });
  const request = async (path: string) => {
    const response = await fetch(`http://${address}${path}`).catch(() => undefined);
    if (response === undefined && child.exitCode !== null) throw new Error((await child).all);
    return response;
  };
  while ((await request('/-/ready'))?.status !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
  return {
    async get(path) {
      const response = await request(`/api/v1/${path}`);
      const body = (await response?.json()) as { status: string; data: unknown; error?: string } | undefined;
      if (body?.status !== 'success') throw new Error(`${path}: ${body?.error}`);
      return body.data;
    },
  };
}

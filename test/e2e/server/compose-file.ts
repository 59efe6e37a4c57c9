import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { aptInstall } from '../provision/apt.ts';

/** Parts of a compose file that tests use. */
export interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes?: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, unknown>>;
  readonly networks?: Readonly<Record<string, unknown>>;
}

interface ComposeService {
  readonly image?: string;
  readonly build?: { readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly ports?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly volumes?: readonly string[];
  readonly secrets?: readonly string[];
  readonly networks?: readonly string[];
  readonly depends_on?: readonly string[] | Readonly<Record<string, unknown>>;
}

const script = 'import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))';

/** Reads a compose file in templates/server. */
export async function readCompose(name: string): Promise<Compose> {
  await aptInstall(['python3-yaml']);
  const path = fileURLToPath(new URL(`../../../templates/server/${name}`, import.meta.url));
  const { stdout } = await execa('python3', ['-c', script], { input: await readFile(path, 'utf8') });
  return JSON.parse(stdout);
}

import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { TestFolder } from '../../support/test-folder.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Change to the file before the device verifies it. */
export type Harm = 'whole' | `flip ${number}` | `cut ${number}`;

/** Device code that was compiled with a header. */
export interface Device {
  /** The key as the device reads it: "RSA 2048 c0ffee…". */
  readonly key: string;
  /** Verifies the file once for each change and returns the verdicts. */
  runRules(file: string, harms: readonly Harm[], core?: 'current' | 'legacy'): Promise<('accepted' | 'refused')[]>;
}

/** Compiles the device side against a generated header. The sanitizers abort the program if the text in the header is not terminated. */
export async function buildDevice(folder: TestFolder, headerName: string, name = 'device'): Promise<Device> {
  const program = folder.at(name);
  const includes = ['-I', dirname(folder.at(headerName)), '-I', `${here}include`];
  const flags = [
    '-std=c11',
    '-O1',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-fsanitize=address,undefined',
    '-fno-sanitize-recover=all',
  ];
  await execa('gcc', [...flags, ...includes, `${here}verify-as-device.c`, '-lbearssl', '-o', program]);
  const run = async (file: string, harms: readonly Harm[], core: string) => {
    const input = harms.map((harm) => `${harm}\n`).join('');
    const { stdout } = await execa(program, [folder.at(file), core], { input });
    return stdout.split('\n');
  };
  const [key = ''] = await run(headerName, [], 'current');
  return {
    key,
    runRules: async (file, harms, core = 'current') => {
      const [, ...verdicts] = await run(file, harms, core);
      return verdicts.map((verdict) => (verdict === 'accepted' ? 'accepted' : 'refused'));
    },
  };
}

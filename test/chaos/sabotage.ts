import { builtCli } from './server-process.ts';

/** Returns the command line to test: the built one, or a copy with a fault that the checker must find. */
export async function sabotagedCli(): Promise<string> {
  return builtCli;
}

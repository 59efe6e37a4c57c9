import { Option } from '@commander-js/extra-typings';
import { defaultTokenVariable } from '../../publishing/destination.ts';

/** Options for commands that connect to a server. */
export const serverOptions = {
  tokenEnv: new Option('--token-env <name>', 'Environment variable with the server token').default(
    defaultTokenVariable,
  ),
  ca: new Option('--ca <file>', 'CA certificate (PEM) for a server that uses its own CA (default: OTA_CA)'),
  data: new Option('--data <dir>', 'Data folder of a stopped server'),
} as const;

/** Installs the engines behind several servers, on Debian, as root: `npx tsx test/e2e/provision/engines.ts`. */
import { aptInstall } from './apt.ts';
import { installMoto } from './moto.ts';

await aptInstall(['postgresql', 'haproxy']);
await installMoto();

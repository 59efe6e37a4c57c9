/** First step of `npm run test:e2e`: installs the programs that the end-to-end tests need besides Node.js, on Debian, as root. */
import { aptInstall } from './apt.ts';
import { installArduinoCli } from './arduino-cli.ts';
import { installPackageManagers } from './package-managers.ts';
import { installPlatformIo } from './platformio.ts';
import { installSchemathesis } from './schemathesis.ts';
import { installXtensaCompiler } from './xtensa.ts';

const compilers = ['gcc', 'g++', 'libc6-dev', 'libbearssl-dev'];
const keyTools = ['openssl', 'openssh-client', 'putty-tools', 'softhsm2', 'opensc'];
await aptInstall([
  ...compilers,
  ...keyTools,
  'git',
  'nginx',
  'apache2',
  'caddy',
  'prometheus',
  'mosquitto',
  'zsh',
  'fish',
  'chromium',
  'fonts-dejavu-core',
]);
await installXtensaCompiler();
await installArduinoCli();
await installPlatformIo();
await installPackageManagers();
await installSchemathesis();
await import('./engines.ts');

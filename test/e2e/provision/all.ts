/** First step of `npm run test:e2e`: installs the programs that the end-to-end tests need besides Node.js, on Debian, as root. */
import { aptInstall } from './apt.ts';
import { installArduinoCli } from './arduino-cli.ts';
import { installPlatformIo } from './platformio.ts';
import { installXtensaCompiler } from './xtensa.ts';

await aptInstall(['gcc', 'libc6-dev', 'libbearssl-dev', 'openssl', 'git', 'nginx', 'chromium', 'fonts-dejavu-core']);
await installXtensaCompiler();
await installArduinoCli();
await installPlatformIo();

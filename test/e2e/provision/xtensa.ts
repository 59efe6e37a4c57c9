import { aptInstall } from './apt.ts';

/** Installs Debian's compiler for the ESP8266, which the platform in `test/e2e/esp8266` uses. */
export async function installXtensaCompiler(): Promise<void> {
  await aptInstall(['gcc-xtensa-lx106', 'binutils-xtensa-lx106']);
}

import { aptInstall } from './apt.ts';

/** Debian's compiler for the ESP8266: what the platform in `test/e2e/esp8266` compiles with. */
export async function installXtensaCompiler(): Promise<void> {
  await aptInstall(['gcc-xtensa-lx106', 'binutils-xtensa-lx106']);
}

import { command, type Declaration } from '../../command.ts';
import { uninstall } from '../install/index.ts';

/** Declares the command. */
export function declare(declaration: Declaration) {
  return command(declaration, 'uninstall <system>', 'take back exactly what install wrote', [
    'ota-hooks uninstall arduino',
    'ota-hooks uninstall arduino --platform ~/.arduino15/packages/esp8266/hardware/esp8266/3.1.2',
  ])
    .option('--platform <dir>', 'folder of the installed core (default: every esp8266 core that is found)')
    .action((system, options) => uninstall(system, options, declaration.io));
}

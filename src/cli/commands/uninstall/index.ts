import { command, type Declaration } from '../../command.ts';
import { uninstall } from '../install/index.ts';

export function declareUninstall(declaration: Declaration) {
  return command(declaration, 'uninstall <system>', 'Revert the changes made by install', [
    'ota-hooks uninstall arduino',
    'ota-hooks uninstall arduino --platform ~/.arduino15/packages/esp8266/hardware/esp8266/3.1.2',
  ])
    .option('--platform <dir>', 'Folder of an installed core (default: all installed esp8266 cores)')
    .action((system, options) => uninstall(system, options, declaration.io));
}

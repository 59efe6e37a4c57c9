import { command, type Declaration, type OptionsOf } from '../../command.ts';
import { collect, portOrAny } from '../../shared/option-values.ts';
import { projectOptions } from '../../shared/project-options.ts';

export const uiCommand = (declaration: Declaration) =>
  command(declaration, 'ui [file]', 'Open a page in the browser to update devices, until Ctrl-C', [
    'ota-hooks ui',
    'ota-hooks ui build/door.ino.bin --port 8300 --no-open',
  ])
    .option('--port <port>', 'Port of the page on 127.0.0.1 (default: any free port)', portOrAny, 0)
    .option('--no-open', 'Only print the address of the page')
    .option('-e, --environment <name>', 'Send the build of this environment (or of the build folder with this name)')
    .option('--interface <address>', 'Address of this machine on the network to search (repeatable)', collect, [])
    .addOption(projectOptions.source)
    .addOption(projectOptions.config);

export type UiOptions = OptionsOf<typeof uiCommand>;

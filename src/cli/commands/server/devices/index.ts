import { commandGroup, type Declaration } from '../../../command.ts';
import { declareCredentials } from './credentials.ts';
import { declareEnroll } from './enroll.ts';
import { declareDeviceImport } from './import.ts';
import { declareDeviceList } from './list.ts';
import { declareDeviceRemove } from './remove.ts';
import { declareDeviceRetry } from './retry.ts';
import { declareRevokeCredentials } from './revoke-credentials.ts';
import { declareDeviceSet } from './set.ts';
import { declareDeviceShow } from './show.ts';

export function declareDevices(declaration: Declaration): void {
  commandGroup(
    declaration,
    'devices',
    'Manage devices and show their update status',
    ['ota-hooks server devices list door --failed', 'ota-hooks server devices show door 18:FE:34:AA:BB:CC'],
    [
      declareDeviceList,
      declareDeviceShow,
      declareDeviceSet,
      declareEnroll,
      declareCredentials,
      declareRevokeCredentials,
      declareDeviceRetry,
      declareDeviceRemove,
      declareDeviceImport,
    ],
  );
}

import type { RuleId } from '../../../core/preflight/registry.ts';
import type { DeliveryMethodName } from '../../../delivery/delivery-methods.ts';
import type { OutputOptions } from '../../output/report.ts';
import type { DeviceOptions } from '../../shared/device-options.ts';

/** Options of `upload`. */
export interface UploadOptions extends OutputOptions, Omit<DeviceOptions, 'transport' | 'kind'> {
  readonly source?: string | undefined;
  readonly config?: string | undefined;
  readonly host: readonly string[];
  readonly all?: boolean | undefined;
  readonly group?: string | undefined;
  readonly method?: DeliveryMethodName | undefined;
  readonly port?: number | undefined;
  readonly passwordEnv?: string | undefined;
  readonly filesystem?: boolean | undefined;
  readonly confirm?: 'none' | 'returned' | 'proven' | undefined;
  readonly confirmTimeout?: number | undefined;
  readonly canary?: number | undefined;
  readonly resume?: boolean | undefined;
  readonly skipBlocked?: boolean | undefined;
  readonly allow: readonly RuleId[];
  readonly via: readonly string[];
  readonly publicKey: readonly string[];
  readonly hostIp?: string | undefined;
  readonly hostPort?: number | undefined;
  readonly concurrency?: number | undefined;
  readonly attempts?: number | undefined;
}

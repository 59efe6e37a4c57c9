import type { DeliveryMethodName } from '../../../delivery/delivery-methods.ts';
import type { OutputOptions } from '../../output/report.ts';

/** Options of `discover`. */
export interface DiscoverOptions extends OutputOptions {
  readonly watch?: boolean | undefined;
  readonly timeout: number;
  readonly interface: readonly string[];
  readonly add?: string | undefined;
  readonly host?: string | undefined;
  readonly method?: DeliveryMethodName | undefined;
  readonly board?: string | undefined;
  readonly group?: string | undefined;
  readonly passwordEnv?: string | undefined;
  readonly source?: string | undefined;
  readonly config?: string | undefined;
}

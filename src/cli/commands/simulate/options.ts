import type { OutputOptions } from '../../output/report.ts';

/** Options of `simulate`; values are not parsed yet. */
export interface SimulateOptions extends OutputOptions {
  readonly count: string;
  readonly host: string;
  readonly otaPort: string;
  readonly esphome?: boolean | undefined;
  readonly webPort: string;
  readonly web: boolean;
  readonly webPath: string;
  readonly webUser: string;
  readonly webPasswordEnv?: string | undefined;
  readonly passwordEnv?: string | undefined;
  readonly publicKey?: string | undefined;
  readonly image?: string | undefined;
  readonly manifest: readonly string[];
  readonly firmwareVersion?: string | undefined;
  readonly core?: string | undefined;
  readonly layout?: string | undefined;
  readonly flashMode?: string | undefined;
  readonly chipSize: string;
  readonly atomicFs?: boolean | undefined;
  readonly rtt: string;
  readonly window: string;
  readonly flashMs: string;
  readonly seed: string;
  readonly fault: readonly string[];
  readonly randomFaults?: boolean | undefined;
  readonly quick?: boolean | undefined;
  readonly updateUrl?: string | undefined;
  readonly interval: string;
  readonly updateMode?: string | undefined;
  readonly followRedirects?: boolean | undefined;
  readonly ca?: string | undefined;
  readonly mdns?: string | true | undefined;
  readonly board?: string | undefined;
}

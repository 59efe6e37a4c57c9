import type { AllowedRule } from '../../../publishing/publication.ts';
import type { OutputOptions } from '../../output/report.ts';

/** Options of `publish`. */
export interface PublishOptions extends OutputOptions {
  readonly to?: string | undefined;
  readonly project?: string | undefined;
  readonly channel?: string | undefined;
  readonly draft?: boolean | undefined;
  readonly firmwareVersion?: string | undefined;
  readonly tokenEnv: string;
  readonly ca?: string | undefined;
  readonly reference?: string | undefined;
  readonly elf?: string | undefined;
  readonly board?: string | undefined;
  readonly allow: readonly AllowedRule[];
  readonly source?: string | undefined;
  readonly config?: string | undefined;
  readonly afterBuild?: boolean | undefined;
  readonly passphraseEnv?: string | undefined;
}

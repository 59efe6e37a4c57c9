import type { TerminalOutput } from './output/terminal-text.ts';

/** Interactive prompts in the terminal. */
interface Prompts {
  confirm(question: string, initial: boolean): Promise<boolean>;
}

/** Process resources that commands use. Only run.ts connects this interface to the real process. */
export interface Io {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: TerminalOutput;
  readonly stderr: TerminalOutput;
  /** True if stderr is a terminal that can show colors and progress. */
  readonly fancy: boolean;
  /** True if stdout is such a terminal too. */
  readonly fancyStdout: boolean;
  /** Prompts for a password without echoing the input. Undefined without a terminal. */
  readonly promptSecret?: ((question: string) => Promise<string>) | undefined;
  /** Reads stdin to its end, at most 64 KB. Undefined if stdin is a terminal. */
  readonly readStdin?: (() => Promise<string>) | undefined;
  /** Device password that the Arduino IDE prompted for. */
  readonly idePassword?: string | undefined;
  /** Interactive prompts. Undefined without a terminal. */
  readonly prompt?: Prompts | undefined;
  /** Signal that aborts on Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /**
   * Handles signals as a service does: SIGHUP calls the listener and never ends the process, SIGTERM and SIGQUIT stop it with exit code 0,
   * and SIGUSR1 does nothing. By default, SIGUSR1 opens the debugger of Node.js, in which every local user can run code as this user.
   */
  readonly handleServiceSignals?: ((onHangup: () => void) => void) | undefined;
  readonly platform: NodeJS.Platform;
  /** User's home folder. */
  readonly home: string;
  /** Effective user ID. Undefined on Windows. */
  readonly userId: number | undefined;
  /** Absolute paths for use in hooks: the Node.js executable and this CLI. */
  readonly self: { readonly node: string; readonly cli: string };
}

import type { TerminalOutput } from './output/terminal-text.ts';

/** Interactive prompts. */
interface Questions {
  confirm(question: string, initial: boolean): Promise<boolean>;
}

/** Everything that commands use from the process. Only run.ts connects it to the real process. */
export interface Io {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: TerminalOutput;
  readonly stderr: TerminalOutput;
  /** Whether stderr is a terminal that can show colors and progress. */
  readonly fancy: boolean;
  /** Prompts for a password without echoing it; undefined without a terminal. */
  readonly askSecret?: ((question: string) => Promise<string>) | undefined;
  /** Undefined without a terminal. */
  readonly ask?: Questions | undefined;
  /** Aborts on Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** Registers a listener for SIGHUP; undefined at a terminal, where a hangup ends the command. */
  readonly onHangup?: ((listener: () => void) => void) | undefined;
  readonly platform: NodeJS.Platform;
  /** The user's home folder. */
  readonly home: string;
  /** Absolute paths for hooks: the Node.js executable and this CLI. */
  readonly self: { readonly node: string; readonly cli: string };
}

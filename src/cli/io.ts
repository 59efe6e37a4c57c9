/** Questions at the terminal. */
interface Questions {
  confirm(question: string, initial: boolean): Promise<boolean>;
}

/** Environment of a command; only run.ts makes it from the process. */
export interface Io {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  /** Whether stderr is a terminal that can show colors and progress. */
  readonly fancy: boolean;
  /** Asks for a password without showing it; undefined without a terminal. */
  readonly askSecret?: ((question: string) => Promise<string>) | undefined;
  /** Undefined without a terminal. */
  readonly ask?: Questions | undefined;
  /** Aborts on Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** Registers a listener for SIGHUP; undefined at a terminal, where a hangup ends the command. */
  readonly onHangup?: ((listener: () => void) => void) | undefined;
  readonly platform: NodeJS.Platform;
  /** Home folder of the user. */
  readonly home: string;
  /** Absolute paths for hooks: the Node.js executable and this CLI. */
  readonly self: { readonly node: string; readonly cli: string };
}

/** Questions to whoever sits at the terminal. */
interface Questions {
  confirm(question: string, initial: boolean): Promise<boolean>;
}

/** The world as a command sees it; main.ts alone makes it from the process. */
export interface Io {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  /** Whether stderr is a terminal that may show colors and progress. */
  readonly fancy: boolean;
  /** Asks for a password, which does not show while it is typed; absent where nobody sits at a terminal. */
  readonly askSecret?: ((question: string) => Promise<string>) | undefined;
  /** Absent where nobody sits at a terminal. */
  readonly ask?: Questions | undefined;
  /** Aborts when the user presses Ctrl-C. */
  readonly signal: AbortSignal;
  /** Has a function called at each SIGHUP; absent at a terminal, which ends with it what runs there. */
  readonly onHangup?: ((listener: () => void) => void) | undefined;
  readonly platform: NodeJS.Platform;
  /** The user's home folder. */
  readonly home: string;
  /** Absolute paths that a hook line needs: this node, and this CLI. */
  readonly self: { readonly node: string; readonly cli: string };
}

import { type ChildProcess, spawn } from 'node:child_process';

/** Program to run, its input, and the limits of its output and time. */
export interface SignerRun {
  /** Absolute path of the program. */
  readonly path: string;
  readonly argv: readonly string[];
  readonly input: Uint8Array;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  /** The program is ended if it writes more bytes to stdout. */
  readonly mostBytes: number;
  /** True if the program may ask for a PIN on the terminal. */
  readonly hasTerminal: boolean;
  readonly signal: AbortSignal;
  /** Receives the stderr of the program. */
  readonly onStderr: (text: string) => void;
}

/** How a program ended. */
export interface SignerEnd {
  readonly stdout: Buffer;
  readonly wroteStderr: boolean;
  readonly end:
    | { readonly exitCode: number }
    | { readonly endedBy: string }
    | { readonly startError: string }
    | 'timeout'
    | 'too-much';
}

/**
 * Runs a program with bytes on its stdin and returns its stdout. Waits no longer for the processes that the program started than for the
 * program itself: a wrapper script that hangs is ended after the time-out.
 */
export function runSigner(run: SignerRun): Promise<SignerEnd> {
  return new Promise((resolve, reject) => {
    run.signal.throwIfAborted();
    // Without a terminal, the program gets a process group, so that all its processes can be ended. With a terminal, it stays in the
    // foreground group, because only that group can read a PIN.
    const isGroup = process.platform !== 'win32' && !run.hasTerminal;
    const child = spawn(run.path, run.argv, { env: run.env, stdio: 'pipe', detached: isGroup, windowsHide: true });
    const chunks: Buffer[] = [];
    let size = 0;
    let wroteStderr = false;
    const stop = () => {
      clearTimeout(timer);
      run.signal.removeEventListener('abort', abort);
      kill(child, isGroup);
      for (const stream of child.stdio) stream?.destroy();
    };
    const finish = (end: SignerEnd['end']) => {
      stop();
      resolve({ stdout: Buffer.concat(chunks), wroteStderr, end });
    };
    const abort = () => {
      stop();
      reject(run.signal.reason);
    };
    const timer = setTimeout(() => finish('timeout'), run.timeoutSeconds * 1000);
    run.signal.addEventListener('abort', abort);
    child.on('error', ({ code, message }: NodeJS.ErrnoException) => finish({ startError: code ?? message }));
    child.on('close', (exitCode, signal) => finish(exitCode === null ? { endedBy: String(signal) } : { exitCode }));
    child.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > run.mostBytes) finish('too-much');
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      wroteStderr = true;
      run.onStderr(text);
    });
    // A program that does not read its input closes the pipe. Its output and its exit code decide.
    child.stdin.on('error', () => undefined);
    child.stdin.end(run.input);
  });
}

/** Ends a program and, if it has a process group, all processes in the group. */
function kill(child: ChildProcess, isGroup: boolean): void {
  if (child.pid === undefined) return;
  try {
    if (isGroup) process.kill(-child.pid, 'SIGKILL');
    else child.kill('SIGKILL');
  } catch {
    // All processes have ended.
  }
}

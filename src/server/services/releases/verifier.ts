import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Turns } from '../../turns.ts';
import { DomainError } from '../domain-error.ts';
import type { BuildAnswer, BuildQuestion } from './verify-build.ts';

export interface VerifierLimits {
  /** Milliseconds for one build. */
  readonly verificationMs: number;
  /** MiB of JavaScript objects, without the bytes of artifacts. V8 ends the process where a thread cannot even begin, at 2 MiB or so. */
  readonly verificationHeapMb: number;
}

/** The thread ends when no build came for so long. */
const idleMs = 30_000;

/** Put in place by rolldown.worker-entries.mjs; absent when the sources run as they are. */
declare const OTA_HOOKS_BUNDLED: true | undefined;

/** tsx transforms nothing in worker threads before Node 22 without this preload. */
const execArgv =
  typeof OTA_HOOKS_BUNDLED === 'undefined'
    ? ['--import', new URL('../../../../tsx-in-workers.mjs', import.meta.url).href]
    : undefined;

/**
 * Verifies builds in a worker thread, so that devices are answered meanwhile. One build is verified at a time, and each project waits with
 * at most one: a project that publishes all the time delays another by one build.
 */
export class Verifier {
  readonly #limits: VerifierLimits;
  readonly #turns = new Turns();
  #worker: Worker | undefined;
  #idle: ReturnType<typeof globalThis.setTimeout> | undefined;

  constructor(limits: VerifierLimits) {
    this.#limits = limits;
  }

  /** @throws DomainError verification-limit */
  verify(project: string, question: BuildQuestion): Promise<BuildAnswer> {
    return this.#turns.take(`project ${project}`, () => this.#turns.take('thread', () => this.#run(question)));
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  async #run(question: BuildQuestion): Promise<BuildAnswer> {
    clearTimeout(this.#idle);
    this.#worker ??= this.#start();
    try {
      const answer = await answerOf(this.#worker, question, this.#limits.verificationMs);
      this.#idle = globalThis.setTimeout(() => void this.close(), idleMs).unref();
      return answer;
    } catch (error) {
      await this.close();
      throw isOutOfMemory(error) ? beyond(`${this.#limits.verificationHeapMb} MiB of memory`) : error;
    }
  }

  #start(): Worker {
    const resourceLimits = { maxOldGenerationSizeMb: this.#limits.verificationHeapMb };
    const worker = new Worker(new URL('./verify-worker.ts', import.meta.url), { resourceLimits, execArgv });
    // A process that is done does not wait for an idle thread.
    worker.unref();
    worker.on('error', () => undefined);
    return worker;
  }
}

/** Rejects when the thread fails, ends or needs longer. */
async function answerOf(worker: Worker, question: BuildQuestion, verificationMs: number): Promise<BuildAnswer> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    worker.postMessage(question);
    return await Promise.race([
      // `verify-worker.ts` posts nothing else.
      once(worker, 'message', { signal }).then(([answer]) => answer as BuildAnswer),
      once(worker, 'exit', { signal }).then(() => {
        throw new Error('the verification thread ended without an answer');
      }),
      setTimeout(verificationMs, undefined, { signal }).then(() => {
        throw beyond(`${verificationMs / 1000} s`);
      }),
    ]);
  } finally {
    settled.abort();
  }
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
}

function beyond(limit: string): DomainError {
  const hint = 'Pack the build again with ota-hooks pack, and publish it once more when the server is less busy.';
  return new DomainError(
    'verification-limit',
    `verifying the artifacts takes more than ${limit}; nothing was published`,
    hint,
  );
}

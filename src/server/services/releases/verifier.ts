import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import AsyncLock from 'async-lock';
import { DomainError } from '../domain-error.ts';
import type { BuildToVerify, BuildVerification } from './verify-build.ts';

export interface VerifierLimits {
  /** Time limit per build, in milliseconds. */
  readonly verificationMs: number;
  /**
   * Heap limit for JavaScript objects in MiB, not counting artifact bytes. With about 2 MiB or less, the thread cannot start and V8 ends
   * the process.
   */
  readonly verificationHeapMb: number;
}

/** Idle time after which the thread ends. */
const idleMs = 30_000;

/** Defined by rolldown.worker-entries.mjs; undefined when the sources run unbundled. */
declare const OTA_HOOKS_BUNDLED: true | undefined;

/** Before Node.js 22, tsx does not transform modules in worker threads without this preload. */
const execArgv =
  typeof OTA_HOOKS_BUNDLED === 'undefined'
    ? ['--import', new URL('../../../../tsx-in-workers.mjs', import.meta.url).href]
    : undefined;

/**
 * Verifies builds in a worker thread, so that the main thread can serve devices. Builds are verified one at a time, and each project can
 * queue at most one. Therefore a project that publishes constantly delays other projects by only one build.
 */
export class Verifier {
  readonly #limits: VerifierLimits;
  readonly #lock = new AsyncLock({ maxPending: Number.POSITIVE_INFINITY });
  #worker: Worker | undefined;
  #idle: ReturnType<typeof globalThis.setTimeout> | undefined;

  constructor(limits: VerifierLimits) {
    this.#limits = limits;
  }

  /**
   * Verifies a build.
   *
   * @throws DomainError verification-limit
   */
  verify(project: string, question: BuildToVerify): Promise<BuildVerification> {
    return this.#lock.acquire([`project ${project}`, 'thread'], () => this.#run(question));
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  async #run(question: BuildToVerify): Promise<BuildVerification> {
    clearTimeout(this.#idle);
    this.#worker ??= this.#start();
    try {
      const result = await resultOf(this.#worker, question, this.#limits.verificationMs);
      this.#idle = globalThis.setTimeout(() => void this.close(), idleMs).unref();
      return result;
    } catch (error) {
      await this.close();
      throw isOutOfMemory(error) ? beyond(`${this.#limits.verificationHeapMb} MiB of memory`) : error;
    }
  }

  #start(): Worker {
    const resourceLimits = { maxOldGenerationSizeMb: this.#limits.verificationHeapMb };
    const worker = new Worker(new URL('./verify-worker.ts', import.meta.url), { resourceLimits, execArgv });
    // An idle thread must not keep the process alive.
    worker.unref();
    worker.on('error', () => undefined);
    return worker;
  }
}

/** Waits for the result. Rejects if the thread fails, exits or exceeds the time limit. */
async function resultOf(worker: Worker, question: BuildToVerify, verificationMs: number): Promise<BuildVerification> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    worker.postMessage(question);
    return await Promise.race([
      // The type assertion is safe, because `verify-worker.ts` posts only this type.
      once(worker, 'message', { signal }).then(([result]) => result as BuildVerification),
      once(worker, 'exit', { signal }).then(() => {
        throw new Error('the verification thread ended without a result');
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
  const hint = 'Pack the build again with `ota-hooks pack`, and publish it again when the server is less busy.';
  return new DomainError(
    'verification-limit',
    `verifying the artifacts took more than ${limit}; nothing was published`,
    hint,
  );
}

/** Entry point for the worker thread that verifies builds; started by `verifier.ts`. */
import { parentPort } from 'node:worker_threads';
import { type BuildToVerify, verifyBuild } from './verify-build.ts';

parentPort?.on('message', async (question: BuildToVerify) => {
  parentPort?.postMessage(await verifyBuild(question));
});

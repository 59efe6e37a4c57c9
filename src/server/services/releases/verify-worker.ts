/** Entry of the thread that verifies builds; `verifier.ts` starts it. */
import { parentPort } from 'node:worker_threads';
import { type BuildQuestion, verifyBuild } from './verify-build.ts';

parentPort?.on('message', async (question: BuildQuestion) => {
  parentPort?.postMessage(await verifyBuild(question));
});

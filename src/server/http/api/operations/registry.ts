import { administrationOperations } from './administration.ts';
import { approvalOperations } from './approvals.ts';
import { deviceOperations } from './devices.ts';
import type { Operation } from './operation.ts';
import { projectOperations } from './projects.ts';
import { releaseOperations } from './releases.ts';
import { rolloutOperations } from './rollouts.ts';
import { serverOperations } from './server.ts';
import { signatureOperations } from './signatures.ts';
import { uploadOperations } from './uploads.ts';
import { webhookOperations } from './webhooks.ts';

/** All operations of the API. */
export const operations: readonly Operation[] = [
  serverOperations,
  projectOperations,
  releaseOperations,
  signatureOperations,
  rolloutOperations,
  approvalOperations,
  deviceOperations,
  uploadOperations,
  webhookOperations,
  administrationOperations,
].flatMap((group) => Object.values<Operation>(group));

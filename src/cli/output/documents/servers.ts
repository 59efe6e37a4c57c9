import * as v from 'valibot';
import {
  auditInfoSchema,
  deviceInfoSchema,
  importAnswerSchema,
  projectInfoSchema,
  tokenInfoSchema,
} from '../../../api/admin-info.ts';
import { releaseInfoSchema } from '../../../api/release-info.ts';
import { rolloutInfoSchema } from '../../../api/rollout-info.ts';
import { sizeBytes } from '../../../core/model/fields.ts';

/** One line of `serve`. */
export const serveDocument = v.variant('event', [
  v.strictObject({
    event: v.literal('ready'),
    url: v.string(),
    /** Where devices are served, if that is elsewhere. */
    deviceUrl: v.optional(v.string()),
    /** Of an authority of its own: its certificate, and the header for sketches. */
    ca: v.optional(v.string()),
    header: v.optional(v.string()),
    /** Of the first admin, this once. */
    token: v.optional(v.string()),
  }),
  v.strictObject({ event: v.literal('stopped') }),
]);

/** What the verbs of `server` say to programs, by their names. */
export const serverDocuments = {
  'server token create': tokenInfoSchema,
  'server token list': v.array(tokenInfoSchema),
  'server token revoke': v.strictObject({ revoked: v.string() }),
  'server projects list': v.array(projectInfoSchema),
  'server projects set': projectInfoSchema,
  'server releases list': v.array(releaseInfoSchema),
  'server releases offer': v.array(releaseInfoSchema),
  'server releases withdraw': v.array(releaseInfoSchema),
  'server devices list': v.array(deviceInfoSchema),
  'server devices show': deviceInfoSchema,
  'server devices set': deviceInfoSchema,
  'server devices retry': deviceInfoSchema,
  'server devices remove': v.strictObject({ removed: v.string() }),
  'server devices import': importAnswerSchema,
  'server devices enrol': v.array(deviceInfoSchema),
  'server rollout start': rolloutInfoSchema,
  'server rollout list': v.array(rolloutInfoSchema),
  'server rollout show': rolloutInfoSchema,
  'server rollout pause': rolloutInfoSchema,
  'server rollout resume': rolloutInfoSchema,
  'server rollout advance': rolloutInfoSchema,
  'server rollout abort': rolloutInfoSchema,
  'server rollout roll-back': rolloutInfoSchema,
  'server audit': v.array(auditInfoSchema),
  'server export': v.strictObject({ file: v.string(), sizeBytes }),
  'server import': v.strictObject({ data: v.string(), from: v.string() }),
} as const;

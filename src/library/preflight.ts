/** Whether an update is safe for a device: `import { plan } from 'ota-hooks/preflight'`. */
export { type DeviceFacts, readDeviceFacts } from '../domain/device-facts.ts';
export { parseManifest } from '../domain/manifest.ts';
export { readFirmware } from '../firmware/firmware.ts';
export { type FileContext, fileRelease } from '../preflight/file-release.ts';
export type { Complaint } from '../preflight/judge.ts';
export { judgeRelease, type ReleaseQuestion, type ReleaseVerdict } from '../preflight/judge-release.ts';
export { type Plan, type PlanQuestion, plan, type Refusal, type Step } from '../preflight/plan.ts';
export type { RuleId } from '../preflight/registry.ts';
export type { Release, ReleaseArtefact, ReleaseImage } from '../preflight/release.ts';
export type { Objection, Severity } from '../preflight/rule.ts';
export type * from './firmware-types.ts';
export type * from './manifest-types.ts';

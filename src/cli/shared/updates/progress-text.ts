import type { Progress } from '../../../delivery/progress.ts';
import type { UpdateStep } from '../../../delivery/update-device.ts';

const phaseTexts = {
  inviting: 'contacting the device',
  authenticating: 'authenticating',
  awaitingCallBack: 'waiting for the device to connect',
  awaitingVerdict: 'sent; waiting for the result',
  confirming: 'waiting for the device to restart',
} as const satisfies Record<Exclude<UpdateStep['phase'], 'sending'>, string>;

/** Describes a phase in which no image bytes are sent. */
export function phaseText(phase: keyof typeof phaseTexts): string {
  return phaseTexts[phase];
}

/** Returns the number of a repeated attempt for the end of a line; empty for the first attempt. */
export function attemptText(step: UpdateStep): string {
  return step.phase !== 'confirming' && step.attempt > 1 ? ` (attempt ${step.attempt})` : '';
}

/** Returns the fraction of the image that was sent, from 0 to 1. */
export function sentShare({ transferredBytes, totalBytes }: Progress): number {
  return totalBytes === 0 ? 1 : transferredBytes / totalBytes;
}

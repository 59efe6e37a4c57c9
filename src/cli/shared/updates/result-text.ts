import type { Step } from '../../../core/preflight/choice.ts';
import { isSigned, type Release } from '../../../core/preflight/release.ts';
import { describeConfirmation } from '../../../delivery/confirm.ts';
import type { Target } from '../../../delivery/inventory.ts';
import type { DeviceUpdateResult } from '../../../delivery/update-device.ts';
import { describeVerdict } from '../../../delivery/verdict.ts';

/** Returns the final line for a device. */
export function resultText({ verdict, confirmation, durationMs }: DeviceUpdateResult): string {
  const { text } = describeVerdict(verdict);
  const after = confirmation === undefined ? '' : `; ${describeConfirmation(confirmation)}`;
  return `${text}${after} (${secondsText(durationMs)})`;
}

/** Formats a duration in seconds, such as `1.5 s`. */
export function secondsText(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

interface DeviceUpdate {
  readonly target: Target;
  readonly step: Step<Release>;
  readonly result: DeviceUpdateResult;
}

/** Returns a hint about the next step, if any. */
export function hintOf({ step, target, result }: DeviceUpdate): string | undefined {
  const { verdict, confirmation } = result;
  switch (confirmation?.kind) {
    case undefined:
    case 'proven':
      return describeVerdict(verdict, { isSigned: isSigned(step.artifact), core: target.facts.core }).hint;
    case 'returned':
      return 'To prove which sketch is running, announce its MD5 over mDNS in the sketch: MDNS.addServiceTxt("arduino", "tcp", "sketch_md5", ESP.getSketchMD5().c_str());';
    case 'differentSketch':
      return 'Retry the upload. The power may have failed while eboot copied the update, or a different update may have been installed.';
    case 'noResponse':
      return 'Wait a minute and run `ota-hooks discover`. If the device stays offline, flash it over serial.';
  }
}

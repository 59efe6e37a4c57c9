import { flashSizesByNibble } from '../firmware/flash-header.ts';
import { imageMagic } from '../firmware/image-header.ts';
import type { ImageKind } from '../model/artifact.ts';
import { httpError, type httpErrors } from './device-error.ts';
import type { ModelDevice } from './model-device.ts';
import { announcedSize, freeSketchSpace, type Transport } from './staging.ts';
import { beginUpdate, type EndResult, endUpdate, type Rejection, writeUpdate } from './updater.ts';

export interface Delivery {
  readonly transport: Transport;
  readonly kind: ImageKind;
  /** MD5 of the bytes as sent, 32 hex digits. The web updater does not use the MD5. */
  readonly md5?: string | undefined;
}

/**
 * Passes bytes to the Updater like the transport library of the core: `ArduinoOTAClass::_runUpdate`, `ESP8266HTTPUpdate::handleUpdate`
 * and `runUpdate`, or the upload handler of ESP8266HTTPUpdateServer-impl.h.
 *
 * @param device device whose flash is modified; pass a copy to keep the original
 */
export function deliver(device: ModelDevice, bytes: Uint8Array, delivery: Delivery): EndResult {
  const { transport } = delivery;
  const kind = kindOf(device, delivery);
  const refusal = transport === 'http' ? refusalOfHttpClient(device, bytes, delivery) : undefined;
  if (refusal !== undefined) return refusal;
  const begun = beginUpdate(device, {
    kind,
    sizeBytes: announcedSize(device, transport, kind, bytes.length),
    md5: transport === 'web' ? undefined : delivery.md5,
  });
  if (begun.outcome === 'rejected') return begun;
  const written = writeUpdate(begun.update, bytes);
  return written.outcome === 'rejected' ? written : endUpdate(written.update, transport === 'web');
}

/** Returns whether the bytes are treated as a sketch or a filesystem. Before core 2.6.0, the web updater treats every file as a sketch. */
function kindOf({ capabilities }: ModelDevice, { transport, kind }: Delivery): ImageKind {
  return transport === 'web' && !capabilities.filesystemOverWeb ? 'sketch' : kind;
}

/**
 * Runs the checks that `ESP8266HTTPUpdate::handleUpdate` makes before the Updater starts. Errors of these checks have negative codes.
 *
 * @param bytes complete update; only its length and first four bytes are examined
 */
export function refusalOfHttpClient(device: ModelDevice, bytes: Uint8Array, delivery: Delivery): Rejection | undefined {
  const isSketch = delivery.kind === 'sketch';
  if (bytes.length === 0) return refuse(device, 'noSize');
  const roomBytes = isSketch ? freeSketchSpace(device) : device.fsEnd - device.fsStart;
  if (bytes.length > roomBytes) return refuse(device, 'tooLittleSpace');
  if (isSketch && device.capabilities.checksHeader) {
    const [first, , , sizeAndFrequency] = bytes;
    const isCompressed = device.capabilities.gzip && first === 0x1f;
    if (sizeAndFrequency === undefined || (first !== imageMagic && !isCompressed))
      return refuse(device, 'headerInvalid');
    const wantedBytes = flashSizesByNibble.get(sizeAndFrequency >> 4) ?? 0;
    if (!isCompressed && !device.flashMap && wantedBytes > device.chipSizeBytes)
      return refuse(device, 'wrongFlashSize');
  }
  return delivery.md5 !== undefined && delivery.md5.length !== 32 ? refuse(device, 'faultyMd5') : undefined;
}

function refuse(device: ModelDevice, name: keyof typeof httpErrors): Rejection {
  return { outcome: 'rejected', error: httpError(name), device };
}

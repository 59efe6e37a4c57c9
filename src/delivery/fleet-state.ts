import * as v from 'valibot';
import { sha256 } from '../core/model/fields.ts';
import { type StateFile, type StoredState, stateFile } from './state-file.ts';

const runSchema = v.strictObject({
  version: v.literal(1),
  /** SHA-256 of the image that the run sends. */
  image: sha256,
  startedAt: v.pipe(v.string(), v.isoTimestamp()),
  /** Result for each attempted device, by device name. */
  devices: v.record(v.string(), v.picklist(['updated', 'failed'])),
});

type RunDocument = v.InferOutput<typeof runSchema>;

/** Progress of the last multi-device run, stored in `.ota/upload.json` for `--resume`. */
export class FleetState {
  readonly #file: StateFile<RunDocument>;
  #run: RunDocument;

  private constructor(file: StateFile<RunDocument>, run: RunDocument) {
    this.#file = file;
    this.#run = run;
  }

  /**
   * Opens the state of the last run, or starts a new one.
   *
   * @param folder configuration folder
   * @param image SHA-256 of the image; a run with a different image is not resumed
   */
  static async open(folder: string, image: string, resume: boolean): Promise<FleetState> {
    const file = stateFile(folder, 'upload.json', runSchema);
    const last: StoredState<RunDocument> = resume ? await file.read() : { state: 'absent' };
    const isLeft = last.state === 'known' && last.value.image === image;
    const run: RunDocument = isLeft
      ? last.value
      : { version: 1, image, startedAt: new Date().toISOString(), devices: {} };
    return new FleetState(file, run);
  }

  isUpdated(device: string): boolean {
    return Object.hasOwn(this.#run.devices, device) && this.#run.devices[device] === 'updated';
  }

  async note(device: string, outcome: 'updated' | 'failed'): Promise<void> {
    this.#run = { ...this.#run, devices: { ...this.#run.devices, [device]: outcome } };
    await this.#file.write(this.#run);
  }
}

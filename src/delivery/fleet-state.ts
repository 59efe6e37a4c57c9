import * as v from 'valibot';
import { sha256 } from '../core/model/fields.ts';
import { type Remembered, type StateFile, stateFile } from './state-file.ts';

const runSchema = v.strictObject({
  version: v.literal(1),
  /** SHA-256 of the image that this run is about. */
  image: sha256,
  startedAt: v.pipe(v.string(), v.isoTimestamp()),
  /** How it ended for each device that it came to, by name. */
  devices: v.record(v.string(), v.picklist(['updated', 'failed'])),
});

type RunDocument = v.InferOutput<typeof runSchema>;

/** The last run over devices, in `.ota/upload.json`: what `--resume` goes on with. */
export class FleetState {
  readonly #file: StateFile<RunDocument>;
  #run: RunDocument;

  private constructor(file: StateFile<RunDocument>, run: RunDocument) {
    this.#file = file;
    this.#run = run;
  }

  /**
   * @param folder that of the configuration
   * @param image SHA-256 of what is sent; a run with another image is not resumed
   */
  static async open(folder: string, image: string, resume: boolean): Promise<FleetState> {
    const file = stateFile(folder, 'upload.json', runSchema);
    const last: Remembered<RunDocument> = resume ? await file.read() : { state: 'absent' };
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

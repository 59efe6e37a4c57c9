/** Inputs and folders of a benchmark; all paths are absolute. */
export interface Place {
  /** The repository. */
  readonly root: string;
  readonly cli: string;
  /** A temporary folder for outputs. */
  readonly folder: string;
  readonly image: string;
  readonly elf: string;
  readonly privateKey: string;
  readonly publicKey: string;
}

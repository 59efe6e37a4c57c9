import type * as v from 'valibot';
import type { DeepReadonly } from '../../../core/model/fields.ts';
import {
  discoverDocument,
  espotaDocument,
  preflightDocument,
  publishDocument,
  simulateDocument,
  uploadDocument,
} from './delivery.ts';
import {
  headerDocument,
  inspectDocument,
  keygenDocument,
  packDocument,
  signDocument,
  signingDocument,
  verifyDocument,
} from './files.ts';
import { buildDocument, doctorDocument, initDocument, installDocument } from './projects.ts';
import { serveDocument, serverDocuments } from './servers.ts';

/**
 * What each command prints with --json. Commands take only the types from here: a hook must not pay for the schemas, which are shipped as JSON schemas
 * and hold in the tests.
 */
export const documents = {
  keygen: keygenDocument,
  header: headerDocument,
  sign: signDocument,
  pack: packDocument,
  verify: verifyDocument,
  inspect: inspectDocument,
  preflight: preflightDocument,
  init: initDocument,
  doctor: doctorDocument,
  build: buildDocument,
  install: installDocument,
  uninstall: installDocument,
  upload: uploadDocument,
  publish: publishDocument,
  discover: discoverDocument,
  signing: signingDocument,
  espota: espotaDocument,
  simulate: simulateDocument,
  serve: serveDocument,
  ...serverDocuments,
} as const satisfies Readonly<Record<string, v.GenericSchema>>;

/** The name of a command that prints a document. */
export type CommandName = keyof typeof documents;

/** The document of a command. */
export type DocumentOf<Command extends CommandName> = DeepReadonly<v.InferOutput<(typeof documents)[Command]>>;

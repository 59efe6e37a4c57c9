import type * as v from 'valibot';
import type { DeepReadonly } from '../../../core/model/fields.ts';
import {
  discoverDocument,
  espotaDocument,
  preflightDocument,
  publishDocument,
  simulateDocument,
  uiDocument,
  uploadDocument,
} from './delivery.ts';
import {
  headerDocument,
  inspectDocument,
  keygenDocument,
  keysActivateDocument,
  keysAddDocument,
  keysLogVerifyDocument,
  keysNewDocument,
  keysRetireDocument,
  keysStatusDocument,
  packDocument,
  signDocument,
  signingDocument,
  verifyDocument,
} from './files.ts';
import { buildDocument, completionDocument, doctorDocument, initDocument, installDocument } from './projects.ts';
import { loginDocument, logoutDocument, serveDocument, serverDocuments } from './servers.ts';

/**
 * Schemas for the --json output of each command. Commands import only types from this file, so that hooks do not load the schemas. The
 * package contains the schemas as JSON Schema files, and the tests check command output against them.
 */
export const documents = {
  keygen: keygenDocument,
  'keys new': keysNewDocument,
  'keys add': keysAddDocument,
  'keys activate': keysActivateDocument,
  'keys retire': keysRetireDocument,
  'keys status': keysStatusDocument,
  'keys log verify': keysLogVerifyDocument,
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
  completion: completionDocument,
  upload: uploadDocument,
  ui: uiDocument,
  publish: publishDocument,
  discover: discoverDocument,
  signing: signingDocument,
  espota: espotaDocument,
  simulate: simulateDocument,
  serve: serveDocument,
  login: loginDocument,
  logout: logoutDocument,
  whoami: loginDocument,
  ...serverDocuments,
} as const satisfies Readonly<Record<string, v.GenericSchema>>;

/** Name of a command with JSON output. */
export type CommandName = keyof typeof documents;

/** JSON output of a command. */
export type DocumentOf<Command extends CommandName> = DeepReadonly<v.InferOutput<(typeof documents)[Command]>>;

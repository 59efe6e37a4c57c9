/** Tests that `npm run test:several` skips, with the reason: each needs a process or a data folder of its own. */

const reasons = {
  address: 'requires the certificate of one server',
  folder: 'reads or changes the files of the data folder, which is empty with a database and a bucket',
  clock: 'a server does not start if its clock differs from that of the database',
  events: 'collects the events of one process',
  limits: 'a limit in memory that each process has for itself',
  report: 'reads the last report of a device, which another process stores up to 30 s later',
  sessions: 'each process has its own certificate and its own TLS sessions',
  part: 'replaces a part of one server',
  pieces: 'a bucket stores the received part of an upload when the connection ends, and the test requires it before',
  process: 'observes the downloads, counters or sockets of one process',
};

/** Reasons by file and title. `*` stands for all tests of a file. */
const skipped = {
  'server/publish': {
    'rejects an uploaded private key, logs a warning and stores no bytes': reasons.folder,
    'accepts a valid token from a rate-limited address': reasons.limits,
  },
  'server/device-protocol': {
    'delegates a download to nginx with X-Accel-Redirect': reasons.folder,
  },
  'server/clock': { '*': reasons.clock },
  'server/operation': {
    'finishes active downloads and accepts no new connections while stopping': reasons.process,
    'rejects a second server on the same data folder, and names the process that uses the folder': reasons.folder,
    'does not send an artifact that is corrupt on disk': reasons.folder,
    'counts device responses, decisions, downloads and published releases in the metrics': reasons.process,
    'does not count a client that disconnects in the middle of a request as a server error': reasons.pieces,
  },
  'server/hostile': {
    'closes a download that the client does not read': reasons.process,
    'limits the connections from one address': reasons.limits,
    'returns 429 with the reason to an address with too many failed requests': reasons.limits,
    'limits the number of records stored for fake devices, and still serves an enrolled device': reasons.limits,
    'returns 431 for oversized headers, and reads at most 1 MB of a 1 GB body after the response': reasons.process,
  },
  'server/install': {
    'rejects a release that preflight blocks, that the device runs, or that it would not be sent': reasons.report,
  },
  'server/rollout/results': {
    'keeps the numbers of a completed rollout in a backup, and after a rollback and a newer rollout': reasons.folder,
  },
  'server/tls/https': {
    'resumes a TLS session by its ID without sending the certificate again': reasons.sessions,
    'resumes TLS sessions with tickets, and requires a full handshake after a restart': reasons.sessions,
    'replaces the certificate at runtime without breaking trust or session resumption': reasons.sessions,
  },
  'server/unread-body': {
    'reads at most 1 MB of a 1 GB body after the response, on every route (http)': reasons.process,
    'reads at most 1 MB of a 1 GB body after the response, on every route (https)': reasons.process,
    'responds to Expect: 100-continue with the final status without reading the body (http)': reasons.process,
    'responds to Expect: 100-continue with the final status without reading the body (https)': reasons.process,
    'returns 417 for any other Expect header, and reads at most 1 MB after the response': reasons.process,
    'reads at most 1 MB after the response on the device listener': reasons.process,
  },
  'server/verifier': { 'aborts a verification that reaches its time limit, and stores nothing': reasons.folder },
  'server/events/devices': { '*': reasons.events },
  'server/events/requests': { '*': reasons.events },
  'server/every-problem': {
    'returns internal-error with its documented status and a hint': reasons.part,
    'returns disk-full with its documented status and a hint': reasons.part,
  },
  'cli/commands/server': {
    'server tokens create --data creates an admin token when no server is running': reasons.folder,
    'server backup copies the data of a running server, and restore requires an empty folder and a valid file':
      reasons.folder,
  },
  'cli/commands/https': {
    'server commands reject a certificate issued for a different address': reasons.address,
    'server backup and restore preserve the certificate authority that devices trust': reasons.folder,
  },
};

/** Returns why a test is skipped; undefined if it runs. */
export function skippedBecause(file, title) {
  if (process.env.OTA_HOOKS_TEST_ENGINES === undefined) return undefined;
  const ofFile = skipped[file] ?? {};
  return ofFile[title] ?? ofFile['*'];
}

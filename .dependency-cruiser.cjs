/**
 * The import rules between the layers of src/, as ARCHITECTURE.md draws them. `npm run check` enforces them.
 *
 * A layer may import itself, the layers listed here and version.ts. Imports point down only.
 */
const layers = {
  cli: ['publishing', 'project', 'server', 'simulator', 'delivery', 'api', 'core', 'files', 'errors'],
  publishing: ['delivery', 'api', 'core', 'files', 'errors'],
  project: ['delivery', 'api', 'core', 'files', 'errors'],
  server: ['api', 'core', 'files', 'errors'],
  simulator: ['delivery', 'api', 'core', 'files', 'errors'],
  delivery: ['core', 'files', 'errors'],
  api: ['core', 'files', 'errors'],
  core: ['errors'],
  files: ['errors'],
  errors: [],
};

/** The same inside core: each part may import itself, model/ and the parts listed here. */
const core = {
  model: ['keys/public-key'],
  compression: [],
  keys: [],
  signing: ['keys/'],
  firmware: ['keys/'],
  'device-model': ['firmware/', 'keys/public-key', 'keys/guard-record', 'keys/verify'],
  preflight: ['firmware/', 'device-model/', 'keys/public-key', 'keys/fingerprint', 'keys/verify'],
  pack: ['compression/', 'keys/', 'signing/', 'firmware/', 'device-model/', 'preflight/'],
};

/** The same inside server: each part may import itself, the parts listed here and the files beside them. */
const server = {
  http: ['services/', 'storage/', 'auth/', 'tls/', 'observability/'],
  services: ['storage/', 'auth/', 'observability/log', 'tls/'],
  auth: ['storage/'],
  tls: ['observability/'],
  observability: ['services/events/', 'services/fleet-counts', 'services/outage'],
  storage: [],
};

const privateSideOfKeys = '^src/(core/keys/(generate|private-key)|core/signing/|project/(keys|signing)/)';

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    ...Object.entries(layers).map(([layer, allowed]) =>
      only(layer, `^src/${layer}/`, '^src/', [
        `^src/${layer}/`,
        ...allowed.map((name) => `^src/${name}/`),
        '^src/version\\.ts$',
      ]),
    ),
    ...Object.entries(core).map(([part, allowed]) =>
      only(`core/${part}`, `^src/core/${part}/`, '^src/core/', [
        `^src/core/(${part}|model)/`,
        ...allowed.map((name) => `^src/core/${name}`),
      ]),
    ),
    ...Object.entries(server).map(([part, allowed]) =>
      only(`server/${part}`, `^src/server/${part}/`, '^src/server/', [
        `^src/server/(${part}/|[^/]+$)`,
        ...allowed.map((name) => `^src/server/${name}`),
      ]),
    ),
    {
      name: 'core-does-no-io',
      comment: 'core computes: bytes and plain data in, bytes and plain data out',
      severity: 'error',
      from: { path: '^src/core/' },
      to: { dependencyTypes: ['core'], path: '^(node:)?(fs|net|http|https|http2|dgram|tls|child_process)(/|$)' },
    },
    {
      name: 'no-packages-near-the-private-key',
      comment: 'supply chain: the private key passes through no package, only through modules of Node.js',
      severity: 'error',
      from: { path: '^src/(core/(signing|keys)|project/(keys|signing))/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'delivery-never-signs',
      comment: 'uploads, publications and the server run without the secrets of the key',
      severity: 'error',
      from: { path: '^src/(delivery|publishing|server)/' },
      to: { path: privateSideOfKeys },
    },
    { name: 'src-not-test', severity: 'error', from: { path: '^src/' }, to: { path: '^(test|bench)/' } },
    {
      name: 'no-undeclared-packages',
      severity: 'error',
      from: {},
      // An optional peer that is a development dependency as well counts as declared nowhere, among other things.
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm-dev', 'npm-peer'] },
    },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};

/** What is below `from` may import only these paths of `within`. */
function only(name, from, within, allowed) {
  return {
    name: `${name}-imports-only`,
    severity: 'error',
    from: { path: from },
    to: { path: within, pathNot: allowed },
  };
}

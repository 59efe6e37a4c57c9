/** The import rules between rooms: what must not import what, and why. Checked by `npm run check`. */
const ours = '^src/';
const domain = '^src/(errors\\.ts|domain/)';

/** A room may import only itself, the errors, the domain types and the rooms named. */
function only(room, allowed, comment) {
  return {
    name: `${room}-imports-only`,
    comment,
    severity: 'error',
    from: { path: `^src/${room}/` },
    to: { path: ours, pathNot: [domain, `^src/${room}/`, ...allowed.map((name) => `^src/${name}`)] },
  };
}

const privateSideOfKeys = '^src/keys/(generate|private-key|key-files|passphrase)\\.ts';

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'errors-and-domain-stand-alone',
      severity: 'error',
      from: { path: domain },
      to: { path: ours, pathNot: domain },
    },
    only('firmware', ['keys/'], 'what a .bin is does not depend on what is done with it'),
    only(
      'device',
      ['firmware/', 'keys/public-key\\.ts', 'keys/verify\\.ts'],
      'the model of the device knows bytes only',
    ),
    only('preflight', ['firmware/', 'device/'], 'decisions depend on facts, never on how they are delivered'),
    only('compression', [], 'bytes in, bytes out'),
    only('keys', [], 'keys stand alone'),
    only('signing', ['keys/'], 'a signer needs a key and bytes'),
    {
      name: 'no-packages-near-the-private-key',
      comment: "supply chain: the private key passes through no package, only node's own modules",
      severity: 'error',
      from: { path: '^src/(signing|keys)/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-private-keys-in-firmware',
      severity: 'error',
      from: { path: '^src/firmware/' },
      to: { path: privateSideOfKeys },
    },
    {
      name: 'delivery-never-signs',
      comment: 'uploading and publishing are processes of their own, without the secrets of the key',
      severity: 'error',
      from: { path: '^src/(upload|publish|server)/' },
      to: { path: ['^src/signing/', privateSideOfKeys] },
    },
    {
      name: 'only-commands-are-front',
      comment: 'rooms do not reach up into the front of the house',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(commands/|cli\\.ts|main\\.ts|index\\.ts|library/)' },
      to: { path: '^src/(commands/|cli\\.ts|main\\.ts|index\\.ts|library/(?!manifest-types))' },
    },
    { name: 'src-not-test', severity: 'error', from: { path: ours }, to: { path: '^(test|bench)/' } },
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

/** Folder tree, and the configuration that a build in `a/b` uses. The user's home folder is `home`. */
export interface ConfigTree {
  readonly files: Readonly<Record<string, string>>;
  readonly found: string | undefined;
}

const workspace = '{"workspaces": ["a/*"]}';

export const configTrees: Readonly<Record<string, ConfigTree>> = {
  'without a project root': { files: { 'ota.config.json': '' }, found: undefined },
  'with package.json at the configuration': {
    files: { 'ota.config.json': '', 'package.json': '' },
    found: 'ota.config.json',
  },
  'with package.json below the configuration': {
    files: { 'ota.config.json': '', 'a/package.json': '' },
    found: undefined,
  },
  'with a .git file': { files: { 'ota.config.json': '', 'a/.git': '', 'a/.otarc.yaml': '' }, found: 'a/.otarc.yaml' },
  'with several configurations': {
    files: { 'a/b/.otarc': '', 'a/b/ota.config.yaml': '', 'a/ota.config.json': '', 'package.json': '' },
    found: 'a/b/ota.config.yaml',
  },
  'with a folder named like a configuration': {
    files: { 'a/b/ota.config.json/x': '', 'a/ota.config.yml': '', 'a/package.json': '' },
    found: 'a/ota.config.yml',
  },
  'with a package in a repository': {
    files: { 'ota.config.json': '', '.git/HEAD': '', 'package.json': '{}', 'a/b/package.json': '{}' },
    found: 'ota.config.json',
  },
  'with a repository in a package': {
    files: { 'ota.config.json': '', 'package.json': workspace, 'a/.git/HEAD': '', 'a/b/package.json': '{}' },
    found: undefined,
  },
  'with an npm or yarn workspace outside a repository': {
    files: { 'ota.config.json': '', 'package.json': workspace, 'a/b/package.json': '{}' },
    found: 'ota.config.json',
  },
  'with a pnpm workspace outside a repository': {
    files: { 'ota.config.json': '', 'pnpm-workspace.yaml': '', 'a/b/package.json': '{}' },
    found: 'ota.config.json',
  },
  'with a package.json that is not JSON': {
    files: { 'ota.config.json': '', 'package.json': '{"workspaces"', 'a/b/package.json': '{}' },
    found: undefined,
  },
  'with a submodule': {
    files: { 'ota.config.json': '', '.git/modules/b/HEAD': '', 'a/b/.git': 'gitdir: ../../.git/modules/b\n' },
    found: 'ota.config.json',
  },
  'with a submodule in a submodule': {
    files: {
      'ota.config.json': '',
      '.git/modules/a/modules/b/HEAD': '',
      'a/.git': 'gitdir: ../.git/modules/a\n',
      'a/b/.git': 'gitdir: ../../.git/modules/a/modules/b\n',
    },
    found: 'ota.config.json',
  },
  'with a submodule in a linked work tree': {
    files: {
      'ota.config.json': '',
      '.git/worktrees/a/commondir': '../..\n',
      '.git/worktrees/a/modules/b/HEAD': '',
      'a/.git': 'gitdir: ../.git/worktrees/a\n',
      'a/ota.config.json': '',
      'a/b/.git': 'gitdir: ../../.git/worktrees/a/modules/b\n',
    },
    found: 'a/ota.config.json',
  },
  'with a linked work tree inside its repository': {
    files: {
      'ota.config.json': '',
      '.git/worktrees/a/commondir': '../..\n',
      'a/.git': 'gitdir: ../.git/worktrees/a\n',
    },
    found: undefined,
  },
  'with a submodule whose repository does not exist': {
    files: { 'ota.config.json': '', 'a/.git': 'gitdir: /gone/.git/modules/a\n' },
    found: undefined,
  },
  'with a .git file that is not text': {
    files: { 'ota.config.json': '', 'a/.git': '\0\uFFFD gitdir: ../.git/modules/a' },
    found: undefined,
  },
};

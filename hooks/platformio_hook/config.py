"""Finds the configuration as the command line does, and what the artifacts depend on in it."""

import os
import re
from pathlib import Path

from .files import file_digest, read_file, read_json

# Configuration file names in the search order of the CLI, which searches the project folder and its parents.
CONFIGS = ("ota.config.json", "ota.config.yaml", "ota.config.yml", ".otarc", ".otarc.json", ".otarc.yaml")


def search_config(start, names, home):
    """Searches the start folder and its parents, up to the project root, as src/project/config/load.ts does."""
    folders = [Path(start)] + list(Path(start).parents)
    root = project_root(folders, Path(home))
    found = (folder / name for folder in folders[: root + 1] for name in names)
    return next((str(path) for path in found if path.is_file()), None)


def project_root(folders, home):
    """Returns the index of the project root among a folder and its parents, as src/project/config/project-root.ts does."""
    is_there = lambda at, name: os.path.exists(str(folders[at] / name))
    every = range(len(folders))
    real = [Path(os.path.realpath(str(folder))) for folder in folders]
    own = [at for at in every if real[at] != home and real[at] not in home.parents]
    repositories = [at for at in own if is_there(at, ".git")]
    top = [at for at in repositories if not is_submodule(str(folders[at]))] or repositories[-1:]
    workspaces = [at for at in own if is_there(at, "pnpm-workspace.yaml") or is_workspace(str(folders[at]))]
    markers = [at for at in every if is_there(at, ".git") or is_there(at, "package.json")]
    return (top or workspaces or markers or [0])[0]


def is_submodule(folder):
    """Returns whether the .git file of a folder belongs to a submodule. A linked work tree differs by its file commondir."""
    try:
        text = read_file(os.path.join(folder, ".git")).decode("utf-8")
    except (OSError, ValueError):
        return False
    target = re.match(r"gitdir: (.+?)\s*$", text)
    if not target or not re.search(r"(?:^|[\\/])\.git[\\/](?:.+[\\/])?modules[\\/]", target.group(1)):
        return False
    return not os.path.exists(os.path.join(folder, target.group(1), "commondir"))


def is_workspace(folder):
    """Returns whether the package.json of a folder declares a workspace."""
    package = read_json(os.path.join(folder, "package.json"))
    return isinstance(package, dict) and "workspaces" in package


def named_in(config, folder):
    """Collects the digests of files and the values of environment variables that a configuration names under any key."""
    if isinstance(config, list):
        return [named_in(value, folder) for value in config]
    if isinstance(config, dict):
        # SCons tracks images, and devices affect only uploads. Passphrases and publish tokens do not affect the artifacts, and
        # even a hash of a secret would reveal too much.
        known = [key for key in sorted(config) if key not in ("images", "passphrase", "devices", "upload", "publish")]
        values = [config[key] for key in known]
        return [os.environ.get(str(config.get("env", ""))), named_in(values, folder)]
    return file_digest(os.path.join(folder, config)) if isinstance(config, str) else None


def tag_state(start):
    """Hashes the files that determine the tag of the commit: a build after `git tag` must not keep the earlier version."""
    folder = next((at for at in [Path(start)] + list(Path(start).parents) if (at / ".git").exists()), None)
    try:
        git = folder and folder / ".git"
        if git and git.is_file():
            git = folder / read_file(git).decode("utf-8").strip().replace("gitdir: ", "", 1)
        if not git:
            return None
        pointer, head = git / "commondir", read_file(git / "HEAD").decode("utf-8").strip()
        shared = git / read_file(pointer).decode("utf-8").strip() if pointer.is_file() else git
        tags = sorted(str(path) for path in (shared / "refs" / "tags").glob("*"))
        paths = [str(shared / head.replace("ref: ", "", 1)), str(shared / "packed-refs")] + tags
        return [head, [[path, file_digest(path)] for path in paths]]
    except (OSError, ValueError):
        return None

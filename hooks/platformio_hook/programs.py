"""Finds programs without running one from the project."""

import ntpath
import os
import posixpath
import re


def is_absolute(path, windows):
    """Returns whether a path is independent of the current folder. On Windows, `\\tools` and `C:tools` are not."""
    return bool(re.match(r"[A-Za-z]:[\\/]|[\\/]{2}[^\\/]", path)) if windows else path.startswith("/")


def find_program(name, path, extensions, here, windows, is_program, real_path=lambda folder: folder):
    """Finds a program by absolute path or by plain name in PATH, with the rules of src/project/build/find-program.ts.

    shutil.which also searches the current folder: always on Windows, elsewhere for empty or relative PATH entries.
    """
    paths = ntpath if windows else posixpath
    # normpath keeps two leading slashes.
    same = lambda folder: paths.normcase(paths.normpath(real_path(folder if windows else "/" + folder.lstrip("/"))))
    bases = [name] if is_absolute(name, windows) else []
    if not re.search(r"[\\/:]" if windows else "/", name):
        entries = re.findall(r'(?:"[^"]*"?|[^;"])+', path) if windows else path.split(":")
        folders = [entry.replace('"', "") if windows else entry for entry in entries]
        known = [folder for folder in folders if is_absolute(folder, windows) and same(folder) != same(here)]
        bases = [paths.join(folder, name) for folder in known]
    startable = (".com", ".exe", ".bat", ".cmd")
    listed = [each.strip().lower() for each in (extensions or ";".join(startable)).split(";")]
    suffixes = [each for each in listed if each in startable] if windows else [""]
    for base in bases:
        is_complete = windows and paths.splitext(base)[1].lower() in startable
        for suffix in [""] * is_complete + suffixes:
            if is_program(base + suffix):
                return base + suffix
    return None


def is_program(path):
    """Returns whether an executable file exists at the path."""
    return os.path.isfile(path) and os.access(path, os.X_OK)

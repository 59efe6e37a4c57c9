"""Reads the files that a project names, which may be anything."""

import hashlib
import json
import os
import stat

# Same limit as in src/files/bounded-read.ts.
MOST_FILE_BYTES = 256 * 1024 * 1024


def read_file(path):
    """Returns the bytes of a regular file. Rejects other file types, because reading a pipe, for example, might never end."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError("not a regular file: " + str(path))
    with open(path, "rb") as file:
        content = file.read(MOST_FILE_BYTES + 1)
    if len(content) > MOST_FILE_BYTES:
        raise OSError("too large: " + str(path))
    return content


def file_digest(path):
    """Returns the SHA-256 of a file, or the name of the exception if the file cannot be read."""
    try:
        return hashlib.sha256(read_file(path)).hexdigest()
    except (OSError, ValueError) as error:
        return type(error).__name__


def read_json(path):
    """Returns the value of a JSON file, or None if it cannot be read."""
    try:
        return json.loads(read_file(path).decode("utf-8"))
    except (OSError, ValueError):
        return None

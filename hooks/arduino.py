"""Launcher of the hooks in an installed ESP8266 core.

`ota-hooks install arduino` copies this script into the core as ota-hooks.py. The core's Python runs it:

    python3 -I -S ota-hooks.py COPY COMMAND [OPTION...] --arduino-build FOLDER

COPY is the folder with the copy of the CLI, FOLDER the build folder. A sketch that has neither keys nor a configuration gets
what the core's own tools/signing.py makes without keys, and no other process starts. Other sketches need Node.js and the copy.
"""

import filecmp
import json
import os
import re
import sys

CORE = os.path.dirname(os.path.abspath(__file__))
KEYS = ("public.key", "private.key")
# As in src/project/config/load.ts.
CONFIGS = ("ota.config.json", "ota.config.yaml", "ota.config.yml", ".otarc", ".otarc.json", ".otarc.yaml")
# Suffixes of the files next to an image. Without a key, a signed file next to an image belongs to an earlier build.
SIGNED = (".signed", ".gz.signed", ".legacy_sig")
COMPRESSED = ".gz"
MANIFEST = ".ota.json"
PASSWORD = "--arduino-password="
UNSIGNED_HEADER = "#define ARDUINO_SIGNING 0\n"


class HookError(Exception):
    """An error that the user can fix: one line."""


def read_text(path):
    """Returns the text of a file, or None if it cannot be read."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, ValueError):
        return None


def build_option(build, name):
    """Returns an option that arduino-cli recorded in the build folder, or None."""
    try:
        return str(json.loads(read_text(os.path.join(build, "build.options.json")) or "")[name])
    except (KeyError, TypeError, ValueError):
        return None


def read_sketch(build):
    """Returns the folder and the main file of the sketch that the build folder belongs to; None if they are unknown."""
    location = build_option(build, "sketchLocation")
    if location is None:
        return None
    if os.path.isfile(location):
        return os.path.split(location)
    name = os.path.basename(location)
    is_old = os.path.isfile(os.path.join(location, name + ".pde"))
    return location, name + (".pde" if is_old else ".ino")


def is_set_up(folder):
    """Returns whether the CLI may find keys or a configuration for a sketch. The CLI decides; it searches no folder above these."""
    above = [folder]
    while os.path.dirname(above[-1]) != above[-1]:
        above.append(os.path.dirname(above[-1]))
    exists = lambda *parts: os.path.exists(os.path.join(*parts))
    roots = [at for at, each in enumerate(above) if exists(each, ".git") or exists(each, "package.json")]
    searched = above[: roots[-1] + 1 if roots else 1]
    return any(exists(folder, name) for name in KEYS) or any(exists(each, name) for each in searched for name in CONFIGS)


def is_program(path):
    """Returns whether an executable file exists at the path."""
    return os.path.isfile(path) and os.access(path, os.X_OK)


def node_candidates(copy):
    """Yields paths of Node.js: OTA_NODE, the Node.js of the installation, PATH, and other versions beside that of the installation.

    An IDE that is started from the desktop does not have the PATH of a shell.
    """
    name = "node.exe" if os.name == "nt" else "node"
    if os.environ.get("OTA_NODE"):
        yield os.environ["OTA_NODE"]
        return
    recorded = (read_text(os.path.join(copy, "node")) or "").strip()
    if recorded:
        yield recorded
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if os.path.isabs(folder):
            yield os.path.join(folder, name)
    # Version managers keep each version in a folder of its own.
    pattern = re.sub(r"(?<=[\\/])v?\d+\.\d+\.\d+(?=[\\/])", "*", recorded)
    if pattern != recorded:
        import glob

        by_version = lambda path: [int(number) for number in re.findall(r"\d+", path)]
        for path in sorted(glob.glob(pattern), key=by_version, reverse=True):
            yield path


def cli_command(copy):
    """Returns the command line that starts the copy of the CLI."""
    cli = os.path.join(copy, "dist", "cli.js")
    if not os.path.isfile(cli):
        raise HookError("%s is missing; run ota-hooks install arduino" % cli)
    node = next((path for path in node_candidates(copy) if is_program(path)), None)
    if node is None:
        raise HookError("Node.js was not found; install Node.js 20.19 or newer, or set OTA_NODE to its path")
    return [node, cli]


def run(command):
    """Replaces this process with a program. Windows cannot replace a process, so the program is run and its exit code returned."""
    sys.stderr.flush()
    if os.name != "nt":
        os.execv(command[0], command)
    import subprocess

    return subprocess.call(command)


def write_unsigned_header(build):
    """Writes the header of a build without a key. An unchanged header keeps its time stamp, which the compiler compares."""
    path = os.path.join(build, "core", "Updater_Signing.h")
    if read_text(path) == UNSIGNED_HEADER:
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(UNSIGNED_HEADER)


def remove_stale(image, suffixes):
    """Removes files of an earlier build next to an image. espota.py would send a signed file instead of the image."""
    left = []
    for suffix in suffixes:
        try:
            os.remove(image + suffix)
        except FileNotFoundError:
            pass
        except OSError as error:
            left.append("%s (%s)" % (image + suffix, error.strerror))
    if left:
        raise HookError("files of an earlier build were not removed and must not be sent: %s" % ", ".join(left))


def build_without_keys(command, build, image):
    """Writes the same files as the core does for a sketch without keys, and removes files of an earlier build."""
    if command == "publish":
        return 0
    # Only ota-hooks writes a manifest. Without a manifest, the compressed image is a file of the user.
    ours = (COMPRESSED, MANIFEST) if os.path.exists(image + MANIFEST) else ()
    remove_stale(image, SIGNED + ours)
    if command == "header":
        write_unsigned_header(build)
    return 0


def remove_stale_exports(build, sketch, image):
    """Removes files of an earlier build next to the image that arduino-cli has just exported into the folder of the sketch.

    arduino-cli copies the files of a build, and keeps those that the build no longer has. A hook does not receive the
    folder of --output-dir.
    """
    board = ".".join((build_option(build, "fqbn") or "").split(":")[:3])
    exported = os.path.join(sketch[0], "build", board, sketch[1] + ".bin")
    if not os.path.isfile(exported) or not filecmp.cmp(image, exported, shallow=False):
        return
    ours = (COMPRESSED, MANIFEST) if os.path.exists(exported + MANIFEST) else ()
    remove_stale(exported, [suffix for suffix in SIGNED + ours if not os.path.exists(image + suffix)])


def upload_as_core(options, image):
    """Runs the core's own uploader."""
    given = dict(zip(options[::2], options[1::2]))
    password = next((word[len(PASSWORD) :] for word in options if word.startswith(PASSWORD)), "")
    script = os.path.join(CORE, "tools", "espota.py")
    device = ["-i", given.get("--host", ""), "-p", given.get("--port", ""), "--auth=" + password]
    return run([sys.executable, "-I", script] + device + ["-f", image])


def start(copy, command, options, build):
    """Runs a command for the sketch of a build folder: in the CLI, or in this script for a sketch without keys."""
    words = [command] + options + ["--arduino-build", build]
    sketch = read_sketch(build)
    image = os.path.join(build, sketch[1] + ".bin") if sketch else None
    if command == "exported":
        if sketch is not None:
            remove_stale_exports(build, sketch, image)
        return 0
    is_signed = sketch is None or is_set_up(sketch[0])
    if not is_signed and command != "upload":
        return build_without_keys(command, build, image)
    try:
        return run(cli_command(copy) + words)
    except HookError:
        if command == "upload" and not is_signed:
            return upload_as_core(options, image)
        if command != "upload" and image is not None:
            remove_stale(image, SIGNED + (COMPRESSED, MANIFEST))
        raise


def main():
    copy, command, words = sys.argv[1], sys.argv[2], sys.argv[3:]
    try:
        if words[-2:-1] != ["--arduino-build"]:
            raise HookError("the build folder was split: its path contains a quote followed by a space; rename it")
        return start(copy, command, words[:-2], words[-1])
    except (HookError, OSError) as error:
        sys.stderr.write("ota-hooks: error: %s\n" % error)
        return 1


sys.exit(main())

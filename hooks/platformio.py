"""PlatformIO hook of ota-hooks: every build of an ESP8266 firmware ends in signed, compressed artifacts.

In platformio.ini, for one environment or for all of them:

    extra_scripts = pre:node_modules/ota-hooks/hooks/platformio.py

It declares two targets: the public key as the core's Updater_Signing.h, made by `ota-hooks header`, and the artifacts
beside the image of the sketch or of the filesystem, made by `ota-hooks pack`. They depend on the image and on one hash
over the keys, the configuration, the options and the CLI, so a build with nothing to do starts no process. Uploads that
espota.py would make are made by `ota-hooks upload` (custom_ota_upload = no: by espota.py). Every other decision is the
CLI's.
"""

import hashlib
import inspect
import json
import ntpath
import os
import posixpath
import re
import shlex
import subprocess
import sys
from pathlib import Path

from SCons.Script import COMMAND_LINE_TARGETS, Import

Import("env")

# SCons runs scripts without __file__.
PACKAGE_DIR = os.path.dirname(os.path.dirname(os.path.realpath(inspect.getfile(lambda: None))))
PROJECT_DIR = env.subst("$PROJECT_DIR")
HEADER = os.path.join("$BUILD_DIR", "ota", "Updater_Signing.h")

# What may stand beside an image; `pack` writes the manifest last.
ARTIFACTS = (".gz", ".signed", ".gz.signed", ".legacy_sig")
MANIFEST = ".ota.json"
# Where the CLI looks for a configuration: here and in the folders above, in this order.
CONFIGS = ("ota.config.json", "ota.config.yaml", "ota.config.yml", ".otarc", ".otarc.json", ".otarc.yaml")

ON_OFF = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
# custom_ota_NAME: the commands that it is for, the CLI's option, and its value: a path, any text, or one of some words.
OPTIONS = {
    "node": ("", None, "path"),
    "cli": ("", None, "path"),
    "config": ("header pack upload publish", "--config", "path"),
    "public_key": ("header pack keygen", "--public-key", "path"),
    "private_key": ("header pack keygen", "--private-key", "path"),
    "passphrase_env": ("header pack", "--passphrase-env", "text"),
    "project": ("pack", "--project", "text"),
    "firmware_version": ("pack", "--firmware-version", "text"),
    "compression": ("pack", "--compression", "text"),
    "legacy": ("pack", "--legacy", ON_OFF),
    "unsigned": ("pack", "--unsigned", ON_OFF),
    "sign_compressed_filesystem": ("pack", "--sign-compressed-filesystem", ON_OFF),
    "enforcement": ("pack", "--declare-enforcement", {"elf": False, "declared": True}),
    "upload": ("", None, ON_OFF),
}
# The variable in which a password from upload_flags is handed on; command lines are read by everybody.
PASSWORD = "OTA_UPLOAD_PASSWORD"
# What espota.py takes, in upload_flags: the option of `ota-hooks upload`, or None where there is nothing to say.
ESPOTA_FLAGS = {
    "-i": None,
    "--ip": None,
    "-p": "--port",
    "--port": "--port",
    "-I": "--host-ip",
    "--host_ip": "--host-ip",
    "-P": "--host-port",
    "--host_port": "--host-port",
    "-a": "--password-env",
    "--auth": "--password-env",
    "-f": None,
    "--file": None,
}
ESPOTA_SWITCHES = ("-s", "--spiffs", "-d", "--debug", "-r", "--progress")


class HookError(Exception):
    """What a user can mend: a line that says what happened, and one with a hint."""


def complain(error):
    """Shows a failure in the form that the CLI uses."""
    sys.stderr.write("ota-hooks: error: %s\n" % error)


def option(name):
    """The value of custom_ota_NAME, or None. `ota-hooks build --config` comes first, by the environment."""
    named = os.environ.get("OTA_CONFIG") if name == "config" else None
    return (named or env.GetProjectOption("custom_ota_" + name, None) or "").strip() or None


def chosen(name, words):
    """What the word of an option means, or None when it is not set."""
    value = (option(name) or "").lower()
    if value and value not in words:
        said = (name, value, ", ".join(words))
        raise HookError("platformio.ini: custom_ota_%s = %s is not understood\n  Write one of: %s." % said)
    return words.get(value)


def in_project(path):
    """An absolute path from one that is relative to platformio.ini."""
    return os.path.normpath(os.path.join(PROJECT_DIR, os.path.expanduser(path)))


def check_options():
    """Refuses what is misspelt: a typo in the name of a key must not pass as a build without one."""
    known = ["custom_ota_" + name for name in OPTIONS]
    for name, _ in env.GetProjectOptions():
        if name.startswith("custom_ota_") and name not in known:
            raise HookError("platformio.ini has an unknown option: %s\n  Known are: %s." % (name, ", ".join(known)))
    chosen("upload", ON_OFF)


def arguments(command):
    """The arguments of a command of the CLI, from the options that are set."""
    result = [command] if command == "keygen" else [command, "--source", PROJECT_DIR]
    for name, (commands, flag, kind) in OPTIONS.items():
        value = option(name)
        if not value or command not in commands.split():
            continue
        if not isinstance(kind, dict):
            result += [flag, in_project(value) if kind == "path" else value]
        elif chosen(name, kind):
            result += [flag]
    return result


def file_digest(path):
    """SHA-256 of a file's content; the reason when it cannot be read."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except (OSError, ValueError) as error:
        return type(error).__name__


def find_config():
    """The configuration that the CLI would find, or None."""
    if option("config"):
        return in_project(option("config"))
    folders = [Path(PROJECT_DIR)] + list(Path(PROJECT_DIR).parents)
    return next((str(folder / name) for folder in folders for name in CONFIGS if (folder / name).is_file()), None)


def named_in(config, folder):
    """What stands in the files and environment variables that a configuration names, whatever its keys are called."""
    if isinstance(config, list):
        return [named_in(value, folder) for value in config]
    if isinstance(config, dict):
        # Images are SCons's business, devices that of uploads; passphrases change no result, and even a hash of one would
        # say too much. So would that of a token, which may be the variable of publish.afterBuild.
        known = [key for key in sorted(config) if key not in ("images", "passphrase", "devices", "upload", "publish")]
        values = [config[key] for key in known]
        return [os.environ.get(str(config.get("env", ""))), named_in(values, folder)]
    return file_digest(os.path.join(folder, config)) if isinstance(config, str) else None


def read_json(path):
    """A JSON document, or None if it cannot be read."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def cli_script():
    """The CLI: custom_ota_cli, or that of the npm package in which this script stands."""
    return in_project(option("cli") or os.path.join(PACKAGE_DIR, "dist", "cli.js"))


def state():
    """One hash over what the results depend on besides the image; None if only the CLI can tell, always asked."""
    keys = [in_project(option(name) or name.replace("_", ".")) for name in ("public_key", "private_key")]
    known = [arguments("header"), arguments("pack"), [file_digest(path) for path in keys + [cli_script()]]]
    path = find_config()
    config = read_json(path) if path else {}
    if not isinstance(config, dict):
        return None
    # A device more in the inventory makes no other artifacts.
    packed = {key: value for key, value in config.items() if key not in ("devices", "upload")}
    known += [packed, named_in(config, os.path.dirname(path or "")), is_published(config)]
    return hashlib.sha256(json.dumps(known).encode("utf-8")).hexdigest()


def is_published(config):
    """Whether the configuration wants this build to be published; None if only the CLI can tell."""
    section = config.get("publish") if isinstance(config, dict) else None
    wanted = section.get("afterBuild") if isinstance(section, dict) else None
    if isinstance(wanted, dict):
        return os.environ.get(str(wanted.get("env")), "").strip().lower() not in ("", "0", "false")
    return bool(wanted) if isinstance(config, dict) else None


def remembered_node():
    """The Node.js that `ota-hooks init` was run with. An IDE that was started from a desktop lacks the PATH of a shell."""
    try:
        return Path(PROJECT_DIR, ".ota", "node").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None


def is_absolute(path, windows):
    """Whether a path means the same file everywhere. On Windows, `\\tools` and `C:tools` do not."""
    return bool(re.match(r"[A-Za-z]:[\\/]|[\\/]{2}[^\\/]", path)) if windows else path.startswith("/")


def find_program(name, path, extensions, here, windows, is_program):
    """A program by its absolute path or by a plain name in PATH, by the rules of src/project/build/find-program.ts.

    shutil.which looks in the current folder, on Windows always and elsewhere for an empty or relative entry of PATH.
    """
    paths = ntpath if windows else posixpath
    # normpath keeps two slashes at the start.
    same = lambda folder: paths.normcase(paths.normpath(folder if windows else "/" + folder.lstrip("/")))
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
    """Whether a file is there that can be started."""
    return os.path.isfile(path) and os.access(path, os.X_OK)


def node_program():
    """Node by custom_ota_node, OTA_NODE or npm's own: what is named must be there. Else by the PATH, or as init remembers it.

    Only custom_ota_node may be relative, to platformio.ini.
    """
    own = option("node")
    if own and os.path.dirname(own):
        own = in_project(own)
    named = own or os.environ.get("OTA_NODE") or os.environ.get("npm_node_execpath")
    candidates = [named] if named else [name for name in ("node", remembered_node()) if name]
    windows, path = os.name == "nt", env["ENV"].get("PATH", "")
    for name in candidates:
        found = find_program(name, path, os.environ.get("PATHEXT"), os.getcwd(), windows, is_program)
        if found:
            return found
    hint = "Install Node.js 20.19 or newer, or name it in platformio.ini: custom_ota_node = /path/to/node"
    raise HookError("Node.js was not found (looked for: %s)\n  %s" % (", ".join(candidates), hint))


def run(words, image=None, environment=None):
    """Runs the CLI, its output shown as it comes. A build of an image that fails leaves none of its artifacts."""
    status = 1
    try:
        command = [node_program(), cli_script()] + words
        if not os.path.isfile(command[1]):
            hint = "Run npm install (in a clone of ota-hooks: npm ci), or name the script in custom_ota_cli."
            raise HookError("the command line tool is missing: %s\n  %s" % (command[1], hint))
        sys.stdout.flush()
        status = subprocess.call(command, cwd=PROJECT_DIR, env=environment)
    except (HookError, OSError) as error:
        complain(error)
    for suffix in ARTIFACTS + (MANIFEST,) if status and image else ():
        if os.path.isfile(image + suffix):
            os.remove(image + suffix)
    return status


def make_header(target, source, env):
    """SCons action: the public key as a header."""
    return run(arguments("header") + ["--out", target[0].get_path()], env["OTA_IMAGE"])


def is_filesystem():
    """What the image is, PlatformIO's platform decides by the same targets."""
    return bool({"buildfs", "uploadfs", "uploadfsota"} & set(COMMAND_LINE_TARGETS))


def make_artifacts(target, source, env):
    """SCons action: the artifacts of an image, which are published where the configuration wants it."""
    details = ["--kind", "filesystem" if is_filesystem() else "sketch", "--board", env.BoardConfig().id]
    status = run(arguments("pack") + details + [env["OTA_IMAGE"]], env["OTA_IMAGE"])
    path = find_config()
    if status or is_published(read_json(path) if path else {}) is False:
        return status
    # A process of its own, when the one that signed has ended. What fails here leaves the artifacts, and is tried again.
    return run(arguments("publish") + ["--after-build", env["OTA_IMAGE"]], None, without_key_secrets())


def without_key_secrets():
    """The environment for a process that sends what is signed already: it needs neither the key nor its passphrase."""
    path, text = find_config(), ""
    if path:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
    # JSON and YAML alike: {"env": "NAME"} behind one of the two keys.
    named = re.findall(r"(?:privateKey|passphrase)[\"']?\s*:\s*\{?\s*[\"']?env[\"']?\s*:\s*[\"']?([A-Za-z_]\w*)", text)
    secrets = set(named + [option("passphrase_env")])
    return {name: value for name, value in os.environ.items() if name not in secrets}


def espota_flags(flags):
    """The flags of espota.py as options of `ota-hooks upload`, and the password among them."""
    words = [word for flag in flags for word in shlex.split(flag)]
    options, password = [], None
    while words:
        name, is_joined, value = words.pop(0).partition("=")
        if name in ESPOTA_SWITCHES:
            continue
        if name not in ESPOTA_FLAGS:
            hint = "Known are those of espota.py, such as --auth and --host_port; or set custom_ota_upload = no."
            raise HookError("upload_flags has an option that is not understood: %s\n  %s" % (name, hint))
        if not is_joined:
            value = words.pop(0) if words else ""
        ours = ESPOTA_FLAGS[name]
        if ours == "--password-env":
            password, value = value, PASSWORD
        options += [ours, value] if ours and value else []
    return options, password


def upload(devices, flags):
    """Sends the image, by its manifest: the CLI decides which artifact is safe for a device."""
    try:
        options, password = espota_flags(flags)
        environment = without_key_secrets()
        if password:
            environment[PASSWORD] = password
        details = ["--filesystem"] if is_filesystem() else []
        return run(arguments("upload") + devices + options + details + [env["OTA_IMAGE"]], None, environment)
    except (HookError, OSError) as error:
        complain(error)
        return 1


def upload_to_port(target, source, env):
    """SCons action in the place of espota.py: sends to upload_port."""
    flags = [env.subst(str(flag)) for flag in env.Flatten(env.get("UPLOADERFLAGS", []))]
    return upload(["--method", "espota", "--host", env.subst("$UPLOAD_PORT").strip('"')], flags)


def upload_to_all(target, source, env):
    """SCons action: sends to the devices of the configuration."""
    return upload(["--all"], [])


def replace_espota():
    """Uploads that espota.py would make are ours, unless the project says how it uploads."""
    is_espota = os.path.basename(env.subst("$UPLOADER")) == "espota.py"
    if is_espota and chosen("upload", ON_OFF) is not False and not env.GetProjectOption("upload_command", None):
        env.Replace(UPLOADCMD=upload_to_port)


def explain_missing_library(target, source, env):
    """SCons action before linking: says why the linker is about to miss updaterSigningHash."""
    header = Path(env.subst(HEADER))
    signing = header.is_file() and "#define ARDUINO_SIGNING 1" in header.read_text(encoding="utf-8")
    linked = env.Flatten([env.get("LIBS"), env.get("PIOBUILDFILES")])
    if signing and not any("ESP8266WiFi" in str(part) for part in linked):
        hint = "Add #include <ESP8266WiFi.h> to the sketch: it defines updaterSigningHash, which the linker will miss."
        complain("this firmware is to verify signatures, but lacks the library ESP8266WiFi\n  " + hint)


def is_complete(manifest):
    """Whether every artifact of a manifest stands beside it, unchanged."""
    folder, made = os.path.dirname(manifest), (read_json(manifest) or {}).get("artifacts")
    return bool(made) and all(file_digest(os.path.join(folder, each["file"])) == each["sha256"] for each in made)


def declare_artifacts(known):
    """After the platform's script, which knows the image: its artifacts, and the targets that users call."""
    image = env.Alias("buildprog")[0].sources[0]
    path = image.get_path()
    env.Replace(OTA_IMAGE=path)
    action = env.VerboseAction(make_artifacts, "Packing $SOURCE")
    manifest = env.Command(path + MANIFEST, [image, env.Value(known)], action)
    env.NoCache(manifest)
    # A target of the project that is made from an artifact waits for it.
    env.SideEffect([path + suffix for suffix in ARTIFACTS], manifest)
    if known is None or not is_complete(path + MANIFEST):
        env.AlwaysBuild(manifest)
    for name in ("buildprog", "buildfs", "nobuild", "upload", "uploadfs", "uploadfsota"):
        if env.ans.lookup(name):
            env.Depends(name, manifest)
    for program in env.get("PIOMAINPROG", []):
        env.AddPreAction(program, env.VerboseAction(explain_missing_library, None))

    replace_espota()
    keygen = env.VerboseAction(lambda target, source, env: run(arguments("keygen")), "Making a pair of keys")
    inspect_image = lambda target, source, env: run(["inspect", path], None, without_key_secrets())
    show = env.VerboseAction(inspect_image, "Inspecting %s" % path)
    env.AddCustomTarget("ota-keygen", None, keygen, "OTA: Make Keys", "Make a pair of keys for this project")
    env.AddCustomTarget("ota-sign", manifest, None, "OTA: Sign", "Build, compress and sign the image")
    # A name with "upload" in it would make PlatformIO install its uploaders.
    send = env.VerboseAction(upload_to_all, "Sending %s to the devices of the configuration" % path)
    env.AddCustomTarget("ota-send", manifest, send, "OTA: Send", "Send the image to all devices of the configuration")
    env.AddCustomTarget("ota-inspect", manifest, show, "OTA: Inspect", "Show what the image is and which keys it holds")


def main():
    """Declares the header before libraries copy the include path, the artifacts once the platform knows the image."""
    # [env] may be shared with boards and frameworks that are none of ours.
    arduino = "BOARD" in env and "arduino" in env.get("PIOFRAMEWORK", [])
    if env.GetOption("clean") or not arduino or env.BoardConfig().get("build.mcu", "") != "esp8266":
        return
    if env.get("OTA_HOOKS"):
        return  # `ota-hooks build` brings the script in for projects that do not name it; this one does
    env["OTA_HOOKS"] = True
    if env.ans.lookup("buildprog"):
        raise HookError("the script runs too late to reach the libraries\n  Put pre: before its path in extra_scripts.")
    check_options()
    known = state()
    env.Prepend(CPPPATH=[os.path.dirname(HEADER)])
    header = env.Command(HEADER, env.Value(known), env.VerboseAction(make_header, "Generating $TARGET"))
    env.NoCache(header)
    if known is None:
        env.AlwaysBuild(header)
    find_scripts = env.GetExtraScripts

    def find_scripts_after_ours(env, stage):
        if stage == "post":
            declare_artifacts(known)
        return find_scripts(stage)

    env.AddMethod(find_scripts_after_ours, "GetExtraScripts")


try:
    main()
except HookError as error:
    complain(error)
    env.Exit(1)

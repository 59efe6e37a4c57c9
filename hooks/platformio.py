"""PlatformIO hook of ota-hooks: makes signed, compressed artifacts in every ESP8266 build.

In platformio.ini, for one environment or for all:

    extra_scripts = pre:node_modules/ota-hooks/hooks/platformio.py

The script declares two targets. `ota-hooks header` generates Updater_Signing.h, the core's header with the public key.
`ota-hooks pack` generates the artifacts next to the sketch image or filesystem image. The header depends on a hash of the
keys, the configuration, the options and the CLI. The artifacts depend on this hash and on the image. An up-to-date build
starts no process. `ota-hooks upload` replaces espota.py unless custom_ota_upload = no. The CLI makes all other decisions.
"""

import hashlib
import importlib.util
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from SCons.Script import COMMAND_LINE_TARGETS, Import

Import("env")

# SCons does not define __file__ in scripts.
PACKAGE_DIR = os.path.dirname(os.path.dirname(os.path.realpath(inspect.getfile(lambda: None))))
PROJECT_DIR = env.subst("$PROJECT_DIR")
HEADER = os.path.join("$BUILD_DIR", "ota", "Updater_Signing.h")


def load_parts(name):
    """Makes the package beside this script importable by a name of its own.

    Its folder is not added to sys.path, where this script would hide PlatformIO's module of the same name.
    """
    folder = os.path.join(PACKAGE_DIR, "hooks", "platformio_hook")
    # `ota-hooks build` and the project may run two copies of this script in one process.
    for other in [each for each in sys.modules if each.split(".")[0] == name]:
        del sys.modules[other]
    start = os.path.join(folder, "__init__.py")
    spec = importlib.util.spec_from_file_location(name, start, submodule_search_locations=[folder])
    sys.modules[name] = importlib.util.module_from_spec(spec)


writes_bytecode = sys.dont_write_bytecode
# The installed package stays as it is, and may be read-only.
sys.dont_write_bytecode = True
load_parts("ota_hooks_parts")
from ota_hooks_parts.config import CONFIGS, named_in, search_config, tag_state
from ota_hooks_parts.errors import HookError
from ota_hooks_parts.espota import PASSWORD, espota_flags
from ota_hooks_parts.files import file_digest, read_file, read_json
from ota_hooks_parts.programs import find_program, is_program

sys.dont_write_bytecode = writes_bytecode

# Suffixes of the files next to an image; `pack` writes the manifest last.
ARTIFACTS = (".gz", ".raw", ".signed", ".gz.signed", ".raw.signed", ".legacy_sig")
MANIFEST = ".ota.json"
BILL = ".cdx.json"

ON_OFF = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
# For each custom_ota_NAME: the commands that use it, the CLI option, and the kind of value (path, text, lines or allowed words).
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
    "require_signed": ("pack", "--require-signed", ON_OFF),
    "sign_compressed_filesystem": ("pack", "--sign-compressed-filesystem", ON_OFF),
    "enforcement": ("pack", "--declare-enforcement", {"elf": False, "declared": True}),
    "allow": ("pack", "--project-allow", "lines"),
    "upload": ("", None, ON_OFF),
    "sign_tests": ("", None, ON_OFF),
}


def complain(error):
    """Prints an error in the format of the CLI."""
    sys.stderr.write("ota-hooks: error: %s\n" % error)


def option(name):
    """Returns the value of custom_ota_NAME, or None. Variables that `ota-hooks build` sets for its options take precedence."""
    named = os.environ.get({"config": "OTA_CONFIG", "require_signed": "OTA_REQUIRE_SIGNED"}.get(name, ""))
    return (named or env.GetProjectOption("custom_ota_" + name, None) or "").strip() or None


def chosen(name, words):
    """Returns the value of an option that allows only certain words, or None if the option is not set."""
    value = (option(name) or "").lower()
    if value and value not in words:
        said = (name, value, ", ".join(words))
        raise HookError("invalid value in platformio.ini: custom_ota_%s = %s\n  Use one of: %s." % said)
    return words.get(value)


def in_project(path):
    """Resolves a path relative to platformio.ini."""
    return os.path.normpath(os.path.join(PROJECT_DIR, os.path.expanduser(path)))


def check_options():
    """Rejects unknown options, because a misspelled key option must not result in a build without that key."""
    known = ["custom_ota_" + name for name in OPTIONS]
    for name, _ in env.GetProjectOptions():
        if name.startswith("custom_ota_") and name not in known:
            raise HookError("unknown option in platformio.ini: %s\n  Use one of: %s." % (name, ", ".join(known)))
    chosen("upload", ON_OFF)


def arguments(command):
    """Returns the arguments of a CLI command from the options that are set."""
    result = [command] if command == "keygen" else [command, "--source", PROJECT_DIR]
    for name, (commands, flag, kind) in OPTIONS.items():
        value = option(name)
        if not value or command not in commands.split():
            continue
        if kind == "lines":
            result += [word for line in value.splitlines() if line.strip() for word in (flag, line.strip())]
        elif not isinstance(kind, dict):
            result += [flag, in_project(value) if kind == "path" else value]
        elif chosen(name, kind):
            result += [flag]
    return result


def find_config():
    """Returns the path of the configuration that the CLI would use, or None."""
    if option("config"):
        return in_project(option("config"))
    return search_config(PROJECT_DIR, CONFIGS, os.path.realpath(os.path.expanduser("~")))


def cli_script():
    """Returns the path of the CLI: custom_ota_cli, or the CLI of the npm package that contains this script."""
    return in_project(option("cli") or os.path.join(PACKAGE_DIR, "dist", "cli.js"))


def state():
    """Hashes all inputs except the image. Returns None if only the CLI can read the configuration; every build then runs it."""
    keys = [in_project(option(name) or name.replace("_", ".")) for name in ("public_key", "private_key")]
    known = [arguments("header"), arguments("pack"), [file_digest(path) for path in keys + [cli_script()]]]
    path = find_config()
    config = read_json(path) if path else {}
    if not isinstance(config, dict):
        return None
    # The configured devices do not affect the artifacts.
    packed = {key: value for key, value in config.items() if key not in ("devices", "upload")}
    known += [path, packed, named_in(config, os.path.dirname(path or "")), is_published(config)]
    if isinstance(config.get("version"), dict) and "git" in config["version"]:
        known.append(tag_state(os.path.dirname(path)))
    return hashlib.sha256(json.dumps(known).encode("utf-8")).hexdigest()


def is_published(config):
    """Returns whether the configuration publishes this build; None if only the CLI can read the configuration."""
    section = config.get("publish") if isinstance(config, dict) else None
    wanted = section.get("afterBuild") if isinstance(section, dict) else None
    if isinstance(wanted, dict):
        return os.environ.get(str(wanted.get("env")), "").strip().lower() not in ("", "0", "false")
    return bool(wanted) if isinstance(config, dict) else None


def remembered_node():
    """Returns the Node.js that ran `ota-hooks init`, for IDEs started from the desktop, which lack the PATH of a shell."""
    try:
        return read_file(os.path.join(PROJECT_DIR, ".ota", "node")).decode("utf-8").strip()
    except (OSError, ValueError):
        return None


def node_program():
    """Finds Node.js by custom_ota_node, OTA_NODE or npm_node_execpath; if none is set, in PATH or as recorded by init.

    A configured program must exist. Only custom_ota_node may be a relative path (to platformio.ini).
    """
    own = option("node")
    if own and os.path.dirname(own):
        own = in_project(own)
    named = own or os.environ.get("OTA_NODE") or os.environ.get("npm_node_execpath")
    candidates = [named] if named else [name for name in ("node", remembered_node()) if name]
    windows, path = os.name == "nt", env["ENV"].get("PATH", "")
    for name in candidates:
        found = find_program(name, path, os.environ.get("PATHEXT"), os.getcwd(), windows, is_program, os.path.realpath)
        if found:
            return found
    hint = "Install Node.js 20.19 or newer, or set its path in platformio.ini: custom_ota_node = /path/to/node"
    raise HookError("Node.js not found (searched for: %s)\n  %s" % (", ".join(candidates), hint))


def run(words, image=None, environment=None):
    """Runs the CLI and shows its output as it arrives. If it fails for an image, deletes the image's artifacts."""
    status = 1
    try:
        command = [node_program(), cli_script()] + words
        if not os.path.isfile(command[1]):
            hint = "Run npm install (npm ci in a clone of ota-hooks), or set custom_ota_cli to the path of the script."
            raise HookError("command line tool not found: %s\n  %s" % (command[1], hint))
        sys.stdout.flush()
        status = subprocess.call(command, cwd=PROJECT_DIR, env=environment)
    except (HookError, OSError) as error:
        complain(error)
    if status and image:
        remove_artifacts(image)
    return status


def remove_artifacts(image):
    """Removes the artifacts and the manifest next to an image. Names the files that are left, and returns False if there are any."""
    is_removed = True
    for suffix in ARTIFACTS + (MANIFEST, BILL):
        try:
            os.remove(image + suffix)
        except FileNotFoundError:
            pass
        except OSError as error:
            complain("%s could not be removed and must not be sent: %s" % (image + suffix, error.strerror))
            is_removed = False
    return is_removed


def make_header(target, source, env):
    """SCons action: generates the header with the public key, or a header without a key for unsigned test firmware."""
    if is_test():
        # With a key, the linker would need a library that tests may not include.
        Path(target[0].get_path()).write_text("#define ARDUINO_SIGNING 0\n", encoding="utf-8")
        return 0
    return run(arguments("header") + ["--out", target[0].get_path()], env["OTA_IMAGE"])


def is_filesystem():
    """Returns whether the image is a filesystem image. PlatformIO's platform checks the same targets."""
    return bool({"buildfs", "uploadfs", "uploadfsota"} & set(COMMAND_LINE_TARGETS))


def record_parts():
    """Writes the packages and libraries of the build for `pack --sbom`, in the versions that PlatformIO reports."""
    builders = env.get("__PIO_LIB_BUILDERS")
    if builders is None:
        return  # this run has compiled nothing
    path = Path(env.subst(os.path.join("$BUILD_DIR", "ota", "parts.json")))
    try:
        platform, framework = env.PioPlatform(), "framework-arduinoespressif8266"
        parts = {
            "packages": platform.dump_used_packages(),
            "libraries": [{"name": lib.name, "version": lib.version} for lib in builders if lib.is_dependent],
            "core": platform.get_package_dir(framework) if framework in platform.packages else None,
        }
        path.write_text(json.dumps(parts, default=str), encoding="utf-8")
    except Exception as error:  # PlatformIO documents none of these functions
        sys.stderr.write("ota-hooks: warning: the libraries of the build are unknown: %s\n" % error)
        path.unlink(missing_ok=True)


def make_artifacts(target, source, env):
    """SCons action: makes the artifacts of an image and publishes them if configured."""
    record_parts()
    details = ["--kind", "filesystem" if is_filesystem() else "sketch", "--board", env.BoardConfig().id]
    status = run(arguments("pack") + details + [env["OTA_IMAGE"]], env["OTA_IMAGE"])
    path = find_config()
    if status or is_published(read_json(path) if path else {}) is False:
        return status
    # Publishing runs in a separate process without the key. After a failure, the artifacts are kept and the next build retries.
    return run(arguments("publish") + ["--after-build", env["OTA_IMAGE"]], None, without_key_secrets())


def without_key_secrets():
    """Returns the environment without the key and the passphrase, for processes that need only signed artifacts."""
    path, text = find_config(), ""
    if path:
        text = read_file(path).decode("utf-8", errors="replace")
    # Matches {"env": "NAME"} after either key, in JSON and in YAML.
    named = re.findall(r"(?:privateKey|passphrase)[\"']?\s*:\s*\{?\s*[\"']?env[\"']?\s*:\s*[\"']?([A-Za-z_]\w*)", text)
    secrets = set(named + [option("passphrase_env")])
    return {name: value for name, value in os.environ.items() if name not in secrets}


def upload_flag_lines():
    """Returns the upload flags of the platform and of the project. Variables that SCons does not define are kept."""
    known = lambda found: env.subst(found.group()) if found.group(1).strip("{}") in env else found.group()
    flags = [str(flag) for flag in env.Flatten(env.get("UPLOADERFLAGS", []))]
    own = env.GetProjectOption("upload_flags", [])
    for name, _ in env.GetProjectOptions():
        if name.startswith("-"):
            said = "PlatformIO ignores the line %s in platformio.ini, because it is not indented" % name.split()[0]
            raise HookError(said + "\n  Indent all lines below upload_flags.")
    others = " ".join(env.subst(flag) for flag in flags if flag != "$UPLOAD_FLAGS")
    return [others] + [re.sub(r"\$(\w+|\{\w+\})", known, flag) for flag in own]


def upload(devices, is_to_port):
    """Uploads the image; the CLI reads its manifest and selects an artifact that is safe for the device."""
    try:
        options, password = espota_flags(upload_flag_lines() if is_to_port else [])
        environment = without_key_secrets()
        if password:
            environment[PASSWORD] = password
        details = ["--filesystem"] if is_filesystem() else []
        return run(arguments("upload") + devices + options + details + [env["OTA_IMAGE"]], None, environment)
    except (HookError, OSError) as error:
        complain(error)
        return 1


def upload_to_port(target, source, env):
    """SCons action that replaces espota.py: uploads to upload_port."""
    return upload(["--method", "espota", "--host", env.subst("$UPLOAD_PORT").strip('"')], True)


def upload_to_all(target, source, env):
    """SCons action: uploads to all devices in the configuration."""
    return upload(["--all"], False)


def replace_espota():
    """Replaces espota.py as the uploader, unless the project sets its own upload command or custom_ota_upload = no."""
    is_espota = os.path.basename(env.subst("$UPLOADER")) == "espota.py"
    if is_espota and chosen("upload", ON_OFF) is not False and not env.GetProjectOption("upload_command", None):
        env.Replace(UPLOADCMD=upload_to_port)


def warn_about_custom_upload(target, source, env):
    """SCons action before an upload: names the signed artifacts if a project command sends the unsigned image."""
    image, command = env["OTA_IMAGE"], env.get("UPLOADCMD")
    made = (read_json(image + MANIFEST) or {}).get("artifacts", [])
    signed = [each["file"] for each in made if each.get("signature", "none") != "none"]
    is_own = env.subst("$UPLOAD_PROTOCOL") == "custom" or env.GetProjectOption("upload_command", None)
    if not signed or not is_own or command is upload_to_port:
        return
    text = "" if callable(command) else " ".join(str(word) for word in env.Flatten([command]))
    # An upload over serial sends the unsigned image.
    if any(word in text for word in signed + [cli_script(), "ota-hooks", ".signed", "esptool"]):
        return
    said = (os.path.basename(image), ", ".join(signed))
    hint = 'upload_command = npx ota-hooks upload "$SOURCE" --host ADDRESS --preset NAME'
    sys.stderr.write("ota-hooks: warning: the custom upload command sends %s, not the signed artifact (%s)\n" % said)
    sys.stderr.write("  Set %s, with a preset such as elegantota (ota-hooks upload --help).\n" % hint)


def explain_missing_library(target, source, env):
    """SCons action before linking: explains why the linker will not find updaterSigningHash."""
    header = Path(env.subst(HEADER))
    signing = header.is_file() and "#define ARDUINO_SIGNING 1" in header.read_text(encoding="utf-8")
    linked = env.Flatten([env.get("LIBS"), env.get("PIOBUILDFILES")])
    if signing and not any("ESP8266WiFi" in str(part) for part in linked):
        hint = "Add #include <ESP8266WiFi.h> to the sketch: the library defines updaterSigningHash, which the linker needs."
        complain("the firmware cannot verify signatures: it lacks the library ESP8266WiFi\n  " + hint)


def is_complete(manifest):
    """Returns whether all artifacts of a manifest exist next to it, unchanged."""
    folder, made = os.path.dirname(manifest), (read_json(manifest) or {}).get("artifacts")
    return bool(made) and all(file_digest(os.path.join(folder, each["file"])) == each["sha256"] for each in made)


def is_test():
    """Returns whether the build creates test firmware (pio test), which is signed only with custom_ota_sign_tests = yes."""
    return "test" in env.GetBuildType() and not chosen("sign_tests", ON_OFF)


def discard_artifacts(image):
    """Removes the artifacts of the firmware that test firmware replaces, so that no upload selects them."""
    if not remove_artifacts(image):
        env.Exit(1)
    sys.stderr.write("ota-hooks: test firmware is not signed (to sign it: custom_ota_sign_tests = yes)\n")


def declare_artifacts(known):
    """Declares the artifacts and the custom targets. Runs after the platform's script, which declares the image."""
    image = env.Alias("buildprog")[0].sources[0]
    path = image.get_path()
    env.Replace(OTA_IMAGE=path)
    for program in env.get("PIOMAINPROG", []):
        env.AddPreAction(program, env.VerboseAction(explain_missing_library, None))
    replace_espota()
    if is_test():
        discard_artifacts(path)
        return
    action = env.VerboseAction(make_artifacts, "Packing $SOURCE")
    manifest = env.Command(path + MANIFEST, [image, env.Value(known)], action)
    env.NoCache(manifest)
    # Project targets that use an artifact must wait for it.
    env.SideEffect([path + suffix for suffix in ARTIFACTS], manifest)
    if known is None or not is_complete(path + MANIFEST):
        env.AlwaysBuild(manifest)
    for name in ("buildprog", "buildfs", "nobuild", "upload", "uploadfs", "uploadfsota"):
        if env.ans.lookup(name):
            env.Depends(name, manifest)
    for name in ("upload", "uploadfs"):
        if env.ans.lookup(name):
            env.AddPreAction(name, env.VerboseAction(warn_about_custom_upload, None))
    keygen = env.VerboseAction(lambda target, source, env: run(arguments("keygen")), "Generating a key pair")
    inspect_image = lambda target, source, env: run(["inspect", path], None, without_key_secrets())
    show = env.VerboseAction(inspect_image, "Inspecting %s" % path)
    env.AddCustomTarget("ota-keygen", None, keygen, "OTA: Make Keys", "Generate a key pair for this project")
    env.AddCustomTarget("ota-sign", manifest, None, "OTA: Sign", "Build, compress and sign the image")
    # The name must not contain "upload": PlatformIO would install its uploaders for the target.
    send = env.VerboseAction(upload_to_all, "Sending %s to the devices in the configuration" % path)
    env.AddCustomTarget("ota-send", manifest, send, "OTA: Send", "Send the image to all devices in the configuration")
    env.AddCustomTarget("ota-inspect", manifest, show, "OTA: Inspect", "Show what the image is and which keys it holds")


def main():
    """Declares the header before libraries copy the include path, and the artifacts after the platform script."""
    # [env] may be shared with other boards and frameworks.
    arduino = "BOARD" in env and "arduino" in env.get("PIOFRAMEWORK", [])
    if env.GetOption("clean") or not arduino or env.BoardConfig().get("build.mcu", "") != "esp8266":
        return
    if env.get("OTA_HOOKS"):
        return  # both `ota-hooks build` and the project's extra_scripts added the script
    env["OTA_HOOKS"] = True
    if env.ans.lookup("buildprog"):
        raise HookError("the hook runs too late to reach the libraries\n  Put pre: before its path in extra_scripts.")
    check_options()
    known = "test firmware" if is_test() else state()
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

"""Translates the flags of espota.py in upload_flags."""

import re

from .errors import HookError

# Environment variable for a password from upload_flags, because command lines are visible to other users.
PASSWORD = "OTA_UPLOAD_PASSWORD"
# Options of espota.py in upload_flags and the matching options of `ota-hooks upload`; None if the option is ignored.
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
    "-t": "--timeout",
    "--timeout": "--timeout",
}
ESPOTA_SWITCHES = ("-s", "--spiffs", "-d", "--debug", "-r", "--progress")
# An option and its value: in quotes, or up to the next option.
ESPOTA_FLAG = re.compile(
    r"""(--[A-Za-z_]+|-[A-Za-z])(?:=|\s+(?!--?[A-Za-z])|(?=[^\s=-]))?"""
    r"""("[^"]*"(?=\s|$)|'[^']*'(?=\s|$)|.*?)(?=\s+--?[A-Za-z]|\s*$)"""
)


def espota_flags(lines):
    """Converts lines of espota.py flags to options of `ota-hooks upload`; returns the options and the password.

    A value ends at the next option or at the end of the line, so that a password needs no quotes and no escapes.
    """
    options, password = [], None
    for line in lines:
        rest = line.strip()
        while rest:
            found = ESPOTA_FLAG.match(rest)
            name = found.group(1) if found else None
            if name not in ESPOTA_FLAGS and name not in ESPOTA_SWITCHES:
                hint = "Use options of espota.py, such as --auth and --host_port, or set custom_ota_upload = no."
                problem = "unknown option in upload_flags: " + name if name else "upload_flags has a value without an option"
                raise HookError(problem + "\n  " + hint)
            ours, value = ESPOTA_FLAGS.get(name), found.group(2)
            if len(value) > 1 and value[0] in "'\"" and value[0] == value[-1]:
                value = value[1:-1]
            if ours == "--password-env":
                password, value = value, PASSWORD
            options += [ours, value] if ours and value else []
            rest = rest[found.end() :].strip()
    return options, password

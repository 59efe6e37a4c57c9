"""The platform's part of a build: tools, images, upload and the PlatformIO targets.

Written for the tests. Targets, variables and their order match builder/main.py in platformio/platform-espressif8266,
because a build hook depends on them.
"""

import re
import sys
from os.path import join

from SCons.Script import (
    COMMAND_LINE_TARGETS,
    AlwaysBuild,
    Builder,
    Default,
    DefaultEnvironment,
)

env = DefaultEnvironment()
platform_dir = env.PioPlatform().get_dir()
board = env.BoardConfig()

env.Replace(
    AR="xtensa-lx106-elf-ar",
    AS="xtensa-lx106-elf-as",
    CC="xtensa-lx106-elf-gcc",
    CXX="xtensa-lx106-elf-g++",
    RANLIB="xtensa-lx106-elf-ranlib",
    SIZETOOL="xtensa-lx106-elf-size",
    ARFLAGS=["rc"],
    ESP8266_FS_IMAGE_NAME=board.get("build.filesystem", "littlefs"),
    SIZEPROGREGEXP=r"^(?:\.irom0\.text|\.text|\.data|\.rodata)\s+([0-9]+).*",
    SIZEDATAREGEXP=r"^(?:\.data|\.rodata|\.bss)\s+([0-9]+).*",
    SIZECHECKCMD="$SIZETOOL -A -d $SOURCES",
    SIZEPRINTCMD="$SIZETOOL -B -d $SOURCES",
    PROGSUFFIX=".elf",
)

# A pre: script may have set a different name.
if env.get("PROGNAME", "program") == "program":
    env.Replace(PROGNAME="firmware")

env.Append(
    BUILDERS=dict(
        DataToBin=Builder(
            action=env.VerboseAction(
                '"$PYTHONEXE" "%s" $SOURCE $TARGET' % join(platform_dir, "builder", "mkfs.py"),
                "Building FS image from '$SOURCES' directory to $TARGET",
            ),
            source_factory=env.Dir,
            suffix=".bin",
        )
    )
)

for_filesystem = {"buildfs", "uploadfs", "uploadfsota"} & set(COMMAND_LINE_TARGETS)
target_elf = None

if "nobuild" in COMMAND_LINE_TARGETS:
    target_elf = join("$BUILD_DIR", "${PROGNAME}.elf")
    name = "${ESP8266_FS_IMAGE_NAME}" if for_filesystem else "${PROGNAME}"
    target_firm = join("$BUILD_DIR", name + ".bin")
elif for_filesystem:
    target_firm = env.DataToBin(join("$BUILD_DIR", "${ESP8266_FS_IMAGE_NAME}"), "$PROJECT_DATA_DIR")
    env.NoCache(target_firm)
    AlwaysBuild(target_firm)
else:
    target_elf = env.BuildProgram()
    target_firm = env.ElfToBin(join("$BUILD_DIR", "${PROGNAME}"), target_elf)
    env.Depends(target_firm, "checkprogsize")

env.AddPlatformTarget("buildfs", target_firm, target_firm, "Build Filesystem Image")
AlwaysBuild(env.Alias("nobuild", target_firm))
target_buildprog = env.Alias("buildprog", target_firm, target_firm)
target_size = env.AddPlatformTarget(
    "size", target_elf, env.VerboseAction("$SIZEPRINTCMD", "Calculating size $SOURCE"), "Program Size"
)

protocol = env.subst("$UPLOAD_PROTOCOL")
if protocol != "espota" and re.match(r"\"?((([0-9]{1,3}\.){3}[0-9]{1,3})|[^\\/]+\.local)\"?$", env.get("UPLOAD_PORT", "")):
    protocol = "espota"
    sys.stderr.write("Warning! `upload_port` is an address: `upload_protocol` is switched to `espota`.\n")

if protocol == "espota":
    env.Replace(
        UPLOADER=join(platform_dir, "builder", "espota.py"),
        UPLOADERFLAGS=["--debug", "--progress", "-i", "$UPLOAD_PORT"],
        UPLOADCMD='"$PYTHONEXE" "$UPLOADER" $UPLOADERFLAGS -f $SOURCE',
    )
    if {"uploadfs", "uploadfsota"} & set(COMMAND_LINE_TARGETS):
        env.Append(UPLOADERFLAGS=["-s"])
elif protocol == "esptool":
    env.Replace(
        UPLOADER=join(platform_dir, "tools", "upload.mjs"),
        UPLOADERFLAGS=["--port", '"$UPLOAD_PORT"'],
        UPLOADCMD='node "$UPLOADER" $UPLOADERFLAGS $SOURCE',
    )

upload_actions = [env.VerboseAction("$UPLOADCMD", "Uploading $SOURCE")]
env.AddPlatformTarget("upload", target_firm, upload_actions, "Upload")
env.AddPlatformTarget("uploadfs", target_firm, upload_actions, "Upload Filesystem Image")
env.AddPlatformTarget("uploadfsota", target_firm, upload_actions, "Upload Filesystem Image OTA")

Default([target_buildprog, target_size])

"""The core's part of a build: flags, linker script, libraries, and the .bin from the .elf.

Written for the tests. Include order, clones and archives match tools/platformio-build.py in esp8266/Arduino.
"""

from os import environ
from os.path import join

from SCons.Script import Builder, DefaultEnvironment

env = DefaultEnvironment()
board = env.BoardConfig()
core_dir = env.PioPlatform().get_dir()
# Upstream uses Python tools here. TEST_CORE_NODE is the path of Node.js, because some tests remove Node.js from the PATH.
node = '"%s" "%%s"' % environ.get("TEST_CORE_NODE", "node")


def flash_size(env):
    """Returns the chip size in the form that elf2bin expects, from the name of the flash layout."""
    return board.get("build.arduino.ldscript").split(".")[2].split("m")[0] + "M"


env.Append(
    CFLAGS=["-std=gnu17"],
    CCFLAGS=[
        "-Os",
        "-g",
        "-ffreestanding",
        "-fno-builtin",
        "-mlongcalls",
        "-mtext-section-literals",
        "-falign-functions=4",
        "-ffunction-sections",
        "-fdata-sections",
    ],
    CXXFLAGS=["-std=gnu++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics", "-fno-use-cxa-atexit"],
    LINKFLAGS=[
        "-Os",
        "-nostdlib",
        "-Wl,--no-check-sections",
        "-Wl,-static",
        "-Wl,--no-warn-rwx-segments",
        "-Wl,--gc-sections",
        "-u",
        "app_entry",
    ],
    CPPDEFINES=[("F_CPU", "$BOARD_F_CPU"), "__ets__", "ICACHE_FLASH", ("ARDUINO", 10805)],
    CPPPATH=[join(core_dir, "cores", board.get("build.core")), join(core_dir, "variants", board.get("build.variant"))],
    LIBPATH=[join(core_dir, "tools", "ld")],
    LIBS=["gcc"],
    LIBSOURCE_DIRS=[join(core_dir, "libraries")],
    __flash_size=flash_size,
    BUILDERS=dict(
        ElfToBin=Builder(
            action=env.VerboseAction(
                " ".join(
                    [
                        node % join(core_dir, "tools", "elf2bin.mjs"),
                        '--eboot "$BUILD_DIR/eboot.elf"',
                        '--app "$SOURCE"',
                        "--flash_mode $BOARD_FLASH_MODE",
                        "--flash_freq ${BOARD_F_FLASH[:2]}",
                        "--flash_size ${__flash_size(__env__)}",
                        '--out "$TARGET"',
                    ]
                    # As in upstream, any text counts as true, even "no".
                    + (["--gzip PIO"] if board.get("build.gzip_fw", False) else [])
                ),
                "Building $TARGET",
            ),
            suffix=".bin",
        )
    ),
)
env.Replace(LDSCRIPT_PATH=board.get("build.arduino.ldscript"))

# The image's version word is generated into the build folder, which is searched before the core.
env.Prepend(CPPPATH=[join("$BUILD_DIR", "core")])
core_version = env.Command(
    join("$BUILD_DIR", "core", "core_version.h"),
    join(core_dir, "tools", "makecorever.mjs"),
    env.VerboseAction(
        (node % "$SOURCE") + ' --build_path "$BUILD_DIR" --version %s' % board.get("build.core_version", "3.1.2"),
        "Generating $TARGET",
    ),
)

bootloader = join(core_dir, "bootloaders", "eboot", "eboot")
eboot = env.Command(
    join("$BUILD_DIR", "eboot.elf"),
    [bootloader + ".c", bootloader + ".ld"],
    env.VerboseAction(
        "$CC -Os -nostdlib -ffreestanding -mlongcalls -mtext-section-literals -Wl,--no-warn-rwx-segments"
        ' "-L%s" "-T${SOURCES[1]}" "${SOURCES[0]}" -o "$TARGET"' % join(core_dir, "tools", "ld"),
        "Building $TARGET",
    ),
)
env.Depends(join("$BUILD_DIR", "${PROGNAME}.bin"), eboot)
env.Depends(join("$BUILD_DIR", "${PROGNAME}.elf"), core_version)

env.Prepend(
    LIBS=[
        env.BuildLibrary(join("$BUILD_DIR", "FrameworkArduino"), join(core_dir, "cores", board.get("build.core"))),
    ]
)

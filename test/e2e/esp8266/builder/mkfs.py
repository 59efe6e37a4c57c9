"""Stand-in for the platform's mklittlefs: builds a filesystem image from a folder.

The two superblocks have the LittleFS format (SPEC.md in littlefs); the files simply follow, one after the other.
"""

import os
import struct
import sys
import zlib

BLOCK = 8192
BLOCKS = 64  # far fewer than fit in the flash layout, which makes the tests faster


def superblock(revision):
    """Returns a metadata block with the superblock entry: magic, versions and geometry."""
    name = b"littlefs"
    geometry = struct.pack("<6I", 0x00020000, BLOCK, BLOCKS, 255, 0x7FFFFFFF, 1022)
    name_tag, geometry_tag = 0x0FF00008, 0x20100018
    body = struct.pack("<I", revision)
    body += struct.pack(">I", name_tag ^ 0xFFFFFFFF) + name
    body += struct.pack(">I", geometry_tag ^ name_tag) + geometry
    crc_tag = 0x500FFC00 | (64 - len(body) - 4)
    body += struct.pack(">I", crc_tag ^ geometry_tag)
    body += struct.pack("<I", zlib.crc32(body) ^ 0xFFFFFFFF)
    return body.ljust(BLOCK, b"\xff")


source, target = sys.argv[1:]
image = superblock(1) + superblock(2)
for folder, folders, names in os.walk(source):
    folders.sort()
    for name in sorted(names):
        with open(os.path.join(folder, name), "rb") as file:
            image += name.encode() + b"\0" + file.read()
with open(target, "wb") as file:
    file.write(image.ljust(BLOCK * BLOCKS, b"\xff"))

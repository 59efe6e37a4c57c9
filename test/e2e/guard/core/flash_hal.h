// The layout of a 4 MB chip with 2 MB for the filesystem.
#pragma once
#define FS_PHYS_ADDR (static_cast<uint32_t>(0x200000))
#define FS_PHYS_SIZE (static_cast<uint32_t>(0x1fa000))

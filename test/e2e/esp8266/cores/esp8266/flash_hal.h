// Flash layout from the linker script selected in the board menu.
#pragma once
#include <stdint.h>

extern "C" uint32_t _FS_start;
extern "C" uint32_t _FS_end;

#define FS_start ((uint32_t)&_FS_start)
#define FS_end ((uint32_t)&_FS_end)

#define FS_PHYS_ADDR (FS_start - 0x40200000u)
#define FS_PHYS_SIZE (FS_end - FS_start)

constexpr uint32_t kFlashBase = 0x40200000u;
constexpr uint32_t kSectorBytes = 4096;

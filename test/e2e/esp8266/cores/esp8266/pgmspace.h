// Constants that stay in flash, and functions that read them in aligned words, as flash requires.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define PGM_JOIN_TEXT(counter) ".irom.text." #counter
#define PGM_SECTION(counter) PGM_JOIN_TEXT(counter)
#define PROGMEM __attribute__((section(PGM_SECTION(__COUNTER__)), aligned(4)))
#define PSTR(text) \
  (__extension__({ \
    static const char in_flash[] PROGMEM = text; \
    &in_flash[0]; \
  }))

#define PGM_P const char *

static inline uint8_t pgm_read_byte(const void *address) {
  uintptr_t at = (uintptr_t)address;
  uint32_t word = *(const volatile uint32_t *)(at & ~(uintptr_t)3);
  return (uint8_t)(word >> ((at & 3) * 8));
}

static inline uint32_t pgm_read_dword(const void *address) {
  return *(const volatile uint32_t *)address;
}

static inline uint16_t pgm_read_word(const void *address) {
  uintptr_t at = (uintptr_t)address;
  return (uint16_t)(pgm_read_byte((const void *)at) | pgm_read_byte((const void *)(at + 1)) << 8);
}

#ifdef __cplusplus
extern "C" {
#endif
size_t strlen_P(PGM_P text);
int strcmp_P(const char *left, PGM_P right);
void *memcpy_P(void *to, const void *from, size_t bytes);
#ifdef __cplusplus
}
#endif

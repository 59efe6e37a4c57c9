// Entry point: runs from the bootloader to setup() and loop().
#include <Arduino.h>
#include <core_version.h>

extern "C" {
extern uint32_t bss_start[], bss_end[];
extern void (*ctors_start[])();
extern void (*ctors_end[])();

/// First words of the application: elf2bin fills in the size and the CRC; the third word is the core version.
struct ImageStamp {
  uint32_t sizeBytes, crc, coreGitWord;
};
extern const ImageStamp image_stamp __attribute__((section(".image_stamp"), used)) = {0, 0, ARDUINO_ESP8266_GIT_VER};

static void start() {
  for (uint32_t *word = bss_start; word < bss_end; word++) *word = 0;
  for (auto constructor = ctors_start; constructor < ctors_end; constructor++) (*constructor)();
  ESP.checkFlashConfig();
  setup();
  for (;;) {
    loop();
    yield();
  }
}

__attribute__((section(".entry.text"))) void app_entry() {
  __asm__ __volatile__("movi a1, 0x3ffffff0");
  start();
}

void __cxa_pure_virtual() {
  ESP.restart();
}
void *__dso_handle = nullptr;
int atexit(void (*)()) {
  return 0;
}
}

void *operator new(size_t bytes) {
  return malloc(bytes);
}
void *operator new[](size_t bytes) {
  return malloc(bytes);
}
void operator delete(void *memory) noexcept {
  free(memory);
}
void operator delete[](void *memory) noexcept {
  free(memory);
}
void operator delete(void *memory, size_t) noexcept {
  free(memory);
}
void operator delete[](void *memory, size_t) noexcept {
  free(memory);
}

// The part of the core that the guard uses, written for this test: the same names and types as in cores/esp8266 of 2.6.0 and later.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __XTENSA__
#define PROGMEM __attribute__((section(".irom.text")))
#else
#define PROGMEM
#endif
#define PSTR(text) (text)
#define memcpy_P memcpy

// Debian's compiler for the ESP8266 has no C library.
extern "C" {
void *memcpy(void *, const void *, size_t);
int memcmp(const void *, const void *, size_t);
int strcmp(const char *, const char *);
}

enum FlashMode_t { FM_QIO = 0, FM_QOUT = 1, FM_DIO = 2, FM_DOUT = 3, FM_UNKNOWN = 255 };

class EspClass {
 public:
  bool flashRead(uint32_t address, uint32_t *data, size_t bytes);
  FlashMode_t getFlashChipMode();
  uint32_t getFlashChipRealSize();
  uint32_t magicFlashChipSize(uint8_t nibble);
};
extern EspClass ESP;

class SerialPort {
 public:
  void printf_P(const char *format, unsigned int number);
};
extern SerialPort Serial;
#ifndef RELEASE
#define DEBUG_ESP_PORT Serial
#endif

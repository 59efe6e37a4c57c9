// The sector after the filesystem, as bytes.
#pragma once
#include <Arduino.h>

class EEPROMClass {
 public:
  void begin(size_t) {}
  uint8_t read(int const) { return 0; }
  void write(int const, uint8_t const) {}
  bool commit() { return true; }
  bool end() { return true; }
};

static EEPROMClass EEPROM;

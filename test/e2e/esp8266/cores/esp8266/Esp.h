// The chip: flash, identity and restart.
#pragma once
#include <Arduino.h>

enum FlashMode_t : uint8_t { FM_QIO = 0, FM_QOUT = 1, FM_DIO = 2, FM_DOUT = 3, FM_UNKNOWN = 255 };

class EspClass {
 public:
  void restart();
  uint32_t getChipId();
  uint32_t getFreeHeap();
  uint32_t getSketchSize();
  uint32_t getFreeSketchSpace();
  FlashMode_t getFlashChipMode();
  uint32_t getFlashChipRealSize();
  uint32_t magicFlashChipSize(uint8_t nibble);
  bool checkFlashConfig();
  bool flashEraseSector(uint32_t sector);
  bool flashWrite(uint32_t address, const void *data, size_t bytes);
  bool flashRead(uint32_t address, void *data, size_t bytes);
  bool updateSketch(Stream &in, uint32_t bytes);
};

extern EspClass ESP;

#include <Arduino.h>
#include "Updater.h"
#include "flash_hal.h"

extern "C" {
int SPIEraseSector(uint32_t sector);
int SPIRead(uint32_t address, void *to, uint32_t bytes);
int SPIWrite(uint32_t address, const void *from, uint32_t bytes);
void software_reset();
extern const uint32_t image_stamp[];
extern char heap_start[], heap_end[];
}

EspClass ESP;

void EspClass::restart() {
  software_reset();
}

uint32_t EspClass::getChipId() {
  return *reinterpret_cast<volatile uint32_t *>(0x3ff00050u) & 0xffffff;
}

uint32_t EspClass::getFreeHeap() {
  return static_cast<uint32_t>(heap_end - heap_start);
}

uint32_t EspClass::getSketchSize() {
  return image_stamp[0];
}

uint32_t EspClass::getFreeSketchSpace() {
  const uint32_t used = (getSketchSize() + kSectorBytes - 1) & ~(kSectorBytes - 1);
  const uint32_t end = FS_start - kFlashBase;
  return end > used ? end - used : 0;
}

FlashMode_t EspClass::getFlashChipMode() {
  uint32_t head = 0;
  flashRead(0, &head, sizeof head);
  const uint8_t mode = (head >> 16) & 0xff;
  return mode <= FM_DOUT ? static_cast<FlashMode_t>(mode) : FM_UNKNOWN;
}

uint32_t EspClass::getFlashChipRealSize() {
  return 4u << 20;
}

uint32_t EspClass::magicFlashChipSize(uint8_t nibble) {
  switch (nibble) {
    case 0: return 512u << 10;
    case 1: return 256u << 10;
    case 2: return 1u << 20;
    case 3: return 2u << 20;
    case 4: return 4u << 20;
    case 8: return 8u << 20;
    case 9: return 16u << 20;
  }
  return 0;
}

bool EspClass::checkFlashConfig() {
  return getFlashChipMode() != FM_UNKNOWN;
}

bool EspClass::flashEraseSector(uint32_t sector) {
  return SPIEraseSector(sector) == 0;
}

bool EspClass::flashWrite(uint32_t address, const void *data, size_t bytes) {
  return SPIWrite(address, data, bytes) == 0;
}

bool EspClass::flashRead(uint32_t address, void *data, size_t bytes) {
  return SPIRead(address, data, bytes) == 0;
}

bool EspClass::updateSketch(Stream &in, uint32_t bytes) {
  return Update.begin(bytes) && Update.writeStream(in) == bytes && Update.end();
}

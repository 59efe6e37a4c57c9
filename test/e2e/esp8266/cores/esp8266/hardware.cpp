// Pins and time, through direct access to the chip's registers.
#include <Arduino.h>

namespace {
volatile uint32_t &gpio(uint32_t offset) {
  return *reinterpret_cast<volatile uint32_t *>(0x60000300u + offset);
}
constexpr uint32_t kSet = 0x04, kClear = 0x08, kEnable = 0x10, kDisable = 0x14, kInput = 0x18;

uint32_t cycles() {
  uint32_t count;
  __asm__ __volatile__("rsr %0,ccount" : "=a"(count));
  return count;
}

uint64_t elapsedCycles = 0;
uint32_t lastCycles = 0;
}  // namespace

extern "C" void pinMode(uint8_t pin, uint8_t mode) {
  gpio(mode == OUTPUT ? kEnable : kDisable) = 1u << pin;
}

extern "C" void digitalWrite(uint8_t pin, uint8_t level) {
  gpio(level ? kSet : kClear) = 1u << pin;
}

extern "C" int digitalRead(uint8_t pin) {
  return (gpio(kInput) >> pin) & 1;
}

extern "C" int analogRead(uint8_t) {
  return *reinterpret_cast<volatile uint32_t *>(0x60000d50u) & 0x3ff;
}

extern "C" uint32_t micros() {
  const uint32_t now = cycles();
  elapsedCycles += now - lastCycles;
  lastCycles = now;
  return static_cast<uint32_t>(elapsedCycles / (F_CPU / 1000000));
}

extern "C" uint32_t millis() {
  micros();
  return static_cast<uint32_t>(elapsedCycles / (F_CPU / 1000));
}

extern "C" void yield() {
  *reinterpret_cast<volatile uint32_t *>(0x60000914u) = 0x73;  // the watchdog
}

extern "C" void delay(uint32_t ms) {
  const uint32_t since = millis();
  do yield();
  while (millis() - since < ms);
}

// The test core's API for sketches: enough of the Arduino API for small, realistic sketches.
#pragma once
#include "c_runtime.h"
#include "pgmspace.h"
#include <stdbool.h>

#define HIGH 1
#define LOW 0
#define INPUT 0
#define OUTPUT 1
#define INPUT_PULLUP 2
#define IRAM_ATTR __attribute__((section(".iram.text")))

#ifdef __cplusplus
extern "C" {
#endif
void pinMode(uint8_t pin, uint8_t mode);
void digitalWrite(uint8_t pin, uint8_t level);
int digitalRead(uint8_t pin);
int analogRead(uint8_t pin);
uint32_t micros(void);
uint32_t millis(void);
void delay(uint32_t ms);
void yield(void);
#ifdef __cplusplus
}

class __FlashStringHelper;
#define FPSTR(text) (reinterpret_cast<const __FlashStringHelper *>(text))
#define F(text) FPSTR(PSTR(text))

#include "WString.h"
#include "Print.h"
#include "Esp.h"
#include "pins_arduino.h"

void setup();
void loop();
#endif

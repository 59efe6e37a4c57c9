#pragma once
#include <stdint.h>

static const uint8_t LED_BUILTIN = 2;
static const uint8_t A0 = 17;
static const uint8_t D0 = 16, D1 = 5, D2 = 4, D3 = 0, D4 = 2, D5 = 14, D6 = 12, D7 = 13, D8 = 15;

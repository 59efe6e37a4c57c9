// The second stack, on which BearSSL runs. ESP8266WiFi allocates it, where the real core has a file of its own.
#pragma once
#include <stdint.h>

extern "C" {
extern uint32_t *stack_thunk_top;
void stack_thunk_add_ref();
void stack_thunk_del_ref();
}

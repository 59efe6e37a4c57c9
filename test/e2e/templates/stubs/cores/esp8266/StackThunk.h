// The second stack that BearSSL runs on.
#pragma once
#include <stdint.h>

extern "C" {
inline void stack_thunk_add_ref() {}
inline void stack_thunk_del_ref() {}
inline uint32_t stack_thunk_get_refcnt() { return 0; }
}

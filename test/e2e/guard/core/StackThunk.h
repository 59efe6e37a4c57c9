#pragma once
extern "C" {
void stack_thunk_add_ref();
void stack_thunk_del_ref();
}

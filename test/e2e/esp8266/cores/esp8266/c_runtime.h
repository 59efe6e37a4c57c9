// The few C library functions that the test core needs, so that it links only against libgcc.
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
void *memcpy(void *to, const void *from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *left, const void *right, size_t bytes);
size_t strlen(const char *text);
int strcmp(const char *left, const char *right);
int strncmp(const char *left, const char *right, size_t bytes);
char *strchr(const char *text, int character);
char *strstr(const char *text, const char *part);
long strtol(const char *text, char **end, int base);
int vsnprintf(char *to, size_t bytes, const char *format, va_list values);
int snprintf(char *to, size_t bytes, const char *format, ...) __attribute__((format(printf, 3, 4)));
void *malloc(size_t bytes);
void *calloc(size_t count, size_t bytes);
void free(void *memory);
#ifdef __cplusplus
}
#endif

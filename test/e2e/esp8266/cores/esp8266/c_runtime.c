#include "c_runtime.h"
#include "pgmspace.h"

void *memcpy(void *to, const void *from, size_t bytes) {
  uint8_t *target = to;
  const uint8_t *source = from;
  if (!(((uintptr_t)to | (uintptr_t)from) & 3)) {
    for (; bytes >= 4; bytes -= 4, target += 4, source += 4) *(uint32_t *)target = *(const uint32_t *)source;
  }
  while (bytes--) *target++ = *source++;
  return to;
}

void *memmove(void *to, const void *from, size_t bytes) {
  uint8_t *target = to;
  const uint8_t *source = from;
  if (target <= source || target >= source + bytes) return memcpy(to, from, bytes);
  while (bytes--) target[bytes] = source[bytes];
  return to;
}

void *memset(void *to, int value, size_t bytes) {
  uint8_t *target = to;
  while (bytes--) *target++ = (uint8_t)value;
  return to;
}

int memcmp(const void *left, const void *right, size_t bytes) {
  const uint8_t *a = left, *b = right;
  for (; bytes--; a++, b++) {
    if (*a != *b) return *a - *b;
  }
  return 0;
}

size_t strlen(const char *text) {
  const char *end = text;
  while (*end) end++;
  return (size_t)(end - text);
}

int strncmp(const char *left, const char *right, size_t bytes) {
  for (; bytes--; left++, right++) {
    if (*left != *right || !*left) return (uint8_t)*left - (uint8_t)*right;
  }
  return 0;
}

int strcmp(const char *left, const char *right) {
  return strncmp(left, right, (size_t)-1);
}

char *strchr(const char *text, int character) {
  for (;; text++) {
    if (*text == (char)character) return (char *)text;
    if (!*text) return NULL;
  }
}

char *strstr(const char *text, const char *part) {
  size_t bytes = strlen(part);
  for (; *text; text++) {
    if (!strncmp(text, part, bytes)) return (char *)text;
  }
  return bytes ? NULL : (char *)text;
}

size_t strlen_P(PGM_P text) {
  PGM_P end = text;
  while (pgm_read_byte(end)) end++;
  return (size_t)(end - text);
}

int strcmp_P(const char *left, PGM_P right) {
  for (;; left++, right++) {
    uint8_t other = pgm_read_byte(right);
    if ((uint8_t)*left != other || !other) return (uint8_t)*left - other;
  }
}

void *memcpy_P(void *to, const void *from, size_t bytes) {
  uint8_t *target = to;
  for (size_t i = 0; i < bytes; i++) target[i] = pgm_read_byte((const uint8_t *)from + i);
  return to;
}

static int digit_of(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'z') return character - 'a' + 10;
  if (character >= 'A' && character <= 'Z') return character - 'A' + 10;
  return 99;
}

long strtol(const char *text, char **end, int base) {
  while (*text == ' ' || *text == '\t') text++;
  int negative = *text == '-';
  if (*text == '-' || *text == '+') text++;
  if ((base == 0 || base == 16) && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
    text += 2;
    base = 16;
  }
  if (base == 0) base = *text == '0' ? 8 : 10;
  long value = 0;
  for (; digit_of(*text) < base; text++) value = value * base + digit_of(*text);
  if (end) *end = (char *)text;
  return negative ? -value : value;
}

struct sink {
  char *to;
  size_t room, used;
};

static void put(struct sink *sink, char character) {
  if (sink->used + 1 < sink->room) sink->to[sink->used] = character;
  sink->used++;
}

static void put_padded(struct sink *sink, const char *text, size_t length, int width, char fill, int left) {
  int gap = width - (int)length;
  while (!left && gap-- > 0) put(sink, fill);
  while (length--) put(sink, *text++);
  while (left && gap-- > 0) put(sink, ' ');
}

static void put_number(struct sink *sink, uint64_t value, int negative, unsigned base, int upper, int width, char fill, int left) {
  char digits[24];
  size_t at = sizeof digits;
  do {
    unsigned digit = (unsigned)(value % base);
    digits[--at] = (char)(digit < 10 ? '0' + digit : (upper ? 'A' : 'a') + digit - 10);
    value /= base;
  } while (value);
  if (negative && fill == '0') {
    put(sink, '-');
    width--;
  } else if (negative) {
    digits[--at] = '-';
  }
  put_padded(sink, digits + at, sizeof digits - at, width, fill, left);
}

int vsnprintf(char *to, size_t bytes, const char *format, va_list values) {
  struct sink sink = {to, bytes, 0};
  for (; *format; format++) {
    if (*format != '%') {
      put(&sink, *format);
      continue;
    }
    int left = 0, width = 0, precision = -1, size = 0;
    char fill = ' ';
    for (format++; *format == '-' || *format == '0'; format++) {
      if (*format == '-') left = 1;
      else fill = '0';
    }
    for (; *format >= '0' && *format <= '9'; format++) width = width * 10 + *format - '0';
    if (*format == '.') {
      for (precision = 0, format++; *format >= '0' && *format <= '9'; format++) precision = precision * 10 + *format - '0';
    }
    for (; *format == 'l' || *format == 'z'; format++) size++;
    switch (*format) {
      case 'd':
      case 'i': {
        int64_t value = size > 1 ? va_arg(values, int64_t) : va_arg(values, int);
        put_number(&sink, value < 0 ? (uint64_t)-value : (uint64_t)value, value < 0, 10, 0, width, fill, left);
        break;
      }
      case 'u':
      case 'x':
      case 'X': {
        uint64_t value = size > 1 ? va_arg(values, uint64_t) : va_arg(values, unsigned);
        put_number(&sink, value, 0, *format == 'u' ? 10 : 16, *format == 'X', width, fill, left);
        break;
      }
      case 'f': {
        double value = va_arg(values, double);
        uint64_t scale = 1;
        if (precision < 0) precision = 6;
        for (int i = 0; i < precision; i++) scale *= 10;
        int negative = value < 0;
        uint64_t scaled = (uint64_t)((negative ? -value : value) * (double)scale + 0.5);
        put_number(&sink, scaled / scale, negative, 10, 0, precision ? width - precision - 1 : width, fill, left);
        if (precision) {
          put(&sink, '.');
          put_number(&sink, scaled % scale, 0, 10, 0, precision, '0', 0);
        }
        break;
      }
      case 'c': put(&sink, (char)va_arg(values, int)); break;
      case 's': {
        const char *text = va_arg(values, const char *);
        size_t length = strlen(text);
        if (precision >= 0 && length > (size_t)precision) length = (size_t)precision;
        put_padded(&sink, text, length, width, ' ', left);
        break;
      }
      case 0: format--; break;
      default: put(&sink, *format);
    }
  }
  if (sink.room) to[sink.used < sink.room ? sink.used : sink.room - 1] = 0;
  return (int)sink.used;
}

int snprintf(char *to, size_t bytes, const char *format, ...) {
  va_list values;
  va_start(values, format);
  int length = vsnprintf(to, bytes, format, values);
  va_end(values);
  return length;
}

/* A first-fit heap: consecutive blocks, each with its size; the lowest bit of the size marks a block in use. */
extern char heap_start[], heap_end[], heap_last[];

struct block {
  size_t size_and_use;
};

static struct block *next_of(struct block *block) {
  return (struct block *)((char *)block + (block->size_and_use & ~(size_t)1));
}

void *malloc(size_t bytes) {
  struct block *first = (struct block *)heap_start;
  if (!first->size_and_use) first->size_and_use = (size_t)(heap_end - heap_start) & ~(size_t)7;
  size_t wanted = (bytes + sizeof(struct block) + 7) & ~(size_t)7;
  for (struct block *block = first; (char *)block <= heap_last; block = next_of(block)) {
    if (block->size_and_use & 1) continue;
    for (struct block *next = next_of(block); (char *)next <= heap_last && !(next->size_and_use & 1); next = next_of(block)) {
      block->size_and_use += next->size_and_use;
    }
    if (block->size_and_use < wanted) continue;
    size_t rest = block->size_and_use - wanted;
    if (rest >= 16) {
      block->size_and_use = wanted;
      next_of(block)->size_and_use = rest;
    }
    block->size_and_use |= 1;
    return block + 1;
  }
  return NULL;
}

void *calloc(size_t count, size_t bytes) {
  void *memory = malloc(count * bytes);
  return memory ? memset(memory, 0, count * bytes) : NULL;
}

void free(void *memory) {
  if (memory) ((struct block *)memory - 1)->size_and_use &= ~(size_t)1;
}

#include <Arduino.h>

String &String::operator=(const String &other) {
  if (this == &other) return *this;
  _length = 0;
  return concat(other._text, other._length);
}

int String::indexOf(const char *part) const {
  const char *found = strstr(c_str(), part);
  return found ? static_cast<int>(found - c_str()) : -1;
}

static char lower(char character) {
  return character >= 'A' && character <= 'Z' ? static_cast<char>(character + 32) : character;
}

bool String::equalsIgnoreCase(const String &other) const {
  if (_length != other._length) return false;
  for (size_t i = 0; i < _length; i++) {
    if (lower(_text[i]) != lower(other._text[i])) return false;
  }
  return true;
}

bool String::reserve(size_t length) {
  if (length < _room) return true;
  size_t room = (length + 16) & ~static_cast<size_t>(15);
  char *text = static_cast<char *>(malloc(room));
  if (!text) return false;
  memcpy(text, _text, _length);
  free(_text);
  _text = text;
  _room = room;
  return true;
}

String &String::concat(const char *text, size_t length) {
  if (!length && _text) _text[_length] = 0;
  if (!length || !reserve(_length + length)) return *this;
  memcpy(_text + _length, text, length);
  _length += length;
  _text[_length] = 0;
  return *this;
}

String &String::concat(const __FlashStringHelper *text) {
  PGM_P flash = reinterpret_cast<PGM_P>(text);
  size_t length = strlen_P(flash);
  if (!reserve(_length + length)) return *this;
  memcpy_P(_text + _length, flash, length + 1);
  _length += length;
  return *this;
}

String operator+(const String &left, const String &right) {
  String both = left;
  both += right;
  return both;
}

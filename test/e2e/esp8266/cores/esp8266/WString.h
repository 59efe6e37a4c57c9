// Arduino's String, limited to what the test sketches need.
#pragma once
#include <Arduino.h>

class String {
 public:
  String() = default;
  String(const char *text) { concat(text, strlen(text)); }
  String(const __FlashStringHelper *text) { concat(text); }
  String(const String &other) { concat(other._text, other._length); }
  explicit String(int value) { number("%d", value); }
  explicit String(unsigned value) { number("%u", value); }
  ~String() { free(_text); }

  String &operator=(const String &other);
  String &operator+=(const String &other) { return concat(other._text, other._length); }
  String &operator+=(const char *text) { return concat(text, strlen(text)); }
  String &operator+=(const __FlashStringHelper *text) { return concat(text); }
  String &operator+=(char character) { return concat(&character, 1); }
  bool operator==(const char *text) const { return strcmp(c_str(), text) == 0; }
  char operator[](size_t at) const { return at < _length ? _text[at] : 0; }

  const char *c_str() const { return _text ? _text : ""; }
  size_t length() const { return _length; }
  int indexOf(const char *part) const;
  bool equalsIgnoreCase(const String &other) const;
  long toInt() const { return strtol(c_str(), nullptr, 10); }

 private:
  template <typename T> void number(const char *format, T value) {
    char digits[16];
    concat(digits, static_cast<size_t>(snprintf(digits, sizeof digits, format, value)));
  }
  bool reserve(size_t length);
  String &concat(const char *text, size_t length);
  String &concat(const __FlashStringHelper *text);

  char *_text = nullptr;
  size_t _length = 0, _room = 0;
};

String operator+(const String &left, const String &right);

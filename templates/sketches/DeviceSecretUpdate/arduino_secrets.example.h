// Copy this file to arduino_secrets.h and fill in the copy. Keep the copy out of git: add it to .gitignore first.
#pragma once

#define SECRET_WIFI_SSID ""
#define SECRET_WIFI_PASSWORD ""

// Copy this file to arduino_secrets.h and fill in the copy. Keep the copy out of git: it is in .gitignore.
// Only local builds need it. Firmware built elsewhere contains no secrets and uses the Wi-Fi network stored in flash.
#pragma once

#define SECRET_WIFI_SSID ""
#define SECRET_WIFI_PASSWORD ""
// At least 12 characters. Lets you send updates to the device over the local network.
#define SECRET_OTA_PASSWORD ""

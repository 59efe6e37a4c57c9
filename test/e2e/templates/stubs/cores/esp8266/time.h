// System time, which stays at 1970 as if it had never been synchronized.
#pragma once

typedef long long time_t;

inline time_t time(time_t *) { return 0; }

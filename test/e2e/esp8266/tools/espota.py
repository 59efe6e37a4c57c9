"""Stand-in for the core's tools/espota.py: prints what it would upload."""

import sys

print("espota.py would upload: " + " ".join(sys.argv[1:]))

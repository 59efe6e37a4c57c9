"""Runs a program on a terminal of 80 columns, types a line when it asks something, and passes on what it shows.

Usage: on-terminal.py KEYS PROGRAM [ARGUMENT...]; exits with the program's exit code.
"""

import fcntl
import os
import pty
import struct
import sys
import termios

keys, program = sys.argv[1].encode("utf-8").decode("unicode_escape"), sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    # The size is set by then, or the program would see a terminal of no width.
    sys.stdin.readline()
    os.execvp(program[0], program)
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
os.write(terminal, b"\n")
shown, typed = b"", False
while True:
    try:
        chunk = os.read(terminal, 4096)
    except OSError:
        break  # Linux says so when the program has ended.
    if not chunk:
        break
    shown += chunk
    # It reads keys from the moment on at which it shows the place for them.
    if not typed and shown.rfind(b"\x1b[?25l") >= 0 and (b"Password" in shown or b"Continue?" in shown):
        os.write(terminal, keys.encode("latin-1"))
        typed = True
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

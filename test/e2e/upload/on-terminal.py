"""Runs a program on an 80-column terminal, types a line when the program prompts for input, and passes on its output.

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
    # Wait until the size is set; otherwise, the program would see a terminal of width zero.
    sys.stdin.readline()
    os.execvp(program[0], program)
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
os.write(terminal, b"\n")
shown, typed = b"", False
while True:
    try:
        chunk = os.read(terminal, 4096)
    except OSError:
        break  # Linux raises EIO when the program has ended.
    if not chunk:
        break
    shown += chunk
    # The program starts reading keys when it shows the prompt.
    if not typed and shown.rfind(b"\x1b[?25l") >= 0 and (b"Password" in shown or b"Continue?" in shown):
        os.write(terminal, keys.encode("latin-1"))
        typed = True
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

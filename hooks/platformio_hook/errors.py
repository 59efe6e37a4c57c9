"""Errors of the hook."""


class HookError(Exception):
    """An error that the user can fix: one line with the cause and one line with a hint."""

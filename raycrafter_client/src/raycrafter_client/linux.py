"""The system calls that the standard library lacks."""

import os
from typing import Callable

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


class UnsupportedError(Exception):
    """This Python or this system cannot end a process together with its parent."""


def load_prctl() -> Callable[[int, int], None]:
    """Return prctl(2). Raises UnsupportedError where it is missing."""
    try:
        import ctypes

        prctl = ctypes.CDLL(None, use_errno=True).prctl
    except (ImportError, OSError, AttributeError) as error:
        raise UnsupportedError("the compute client needs Linux and Python with ctypes: {}".format(error)) from error

    def call(option: int, argument: int) -> None:
        # prctl is variadic and reads five unsigned longs
        words = [ctypes.c_ulong(word) for word in (argument, 0, 0, 0)]
        if prctl(option, *words) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), "prctl")

    return call


def signal_on_parent_death(prctl: Callable[[int, int], None], number: int, parent: int) -> bool:
    """Ask for signal ``number`` when the thread that forked this process ends.

    Return False when process ``parent`` has ended already: no signal comes then.
    """
    prctl(PR_SET_PDEATHSIG, number)
    return os.getppid() == parent

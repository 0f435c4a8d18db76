"""Call prctl(2), which the standard library lacks."""

import os
from typing import Callable

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


class UnsupportedError(Exception):
    """Python or the system cannot signal a process at the death of its parent."""


def load_prctl() -> Callable[[int, int], None]:
    """Return a function that calls prctl(2). Raises UnsupportedError without prctl."""
    try:
        import ctypes

        prctl = ctypes.CDLL(None, use_errno=True).prctl
    except (ImportError, OSError, AttributeError) as error:
        raise UnsupportedError("the compute client needs Linux and Python with ctypes: {}".format(error)) from error

    def call(option: int, argument: int) -> None:
        # prctl is variadic: four unsigned longs follow the option.
        words = [ctypes.c_ulong(word) for word in (argument, 0, 0, 0)]
        if prctl(option, *words) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), "prctl")

    return call


def signal_on_parent_death(prctl: Callable[[int, int], None], number: int, parent: int) -> bool:
    """Request signal ``number`` for the end of the thread that forked this process.

    Return False if the process ``parent`` has ended already: then no signal follows.
    """
    prctl(PR_SET_PDEATHSIG, number)
    return os.getppid() == parent

"""Describe how one scheduler reads the directives of a script."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .spec import BatchSpec


@dataclass(frozen=True)
class Dialect:
    """Directives of one scheduler: their prefix, and their text for a description.

    ``lacks`` maps each field without a directive to what to use instead. ``array`` is the option for an array,
    ``job_id`` the form of an id in ``after``; ``job_id_env`` and ``index_env`` name the variables with a job's id
    and array index, ``env_prefixes`` begin the names of all variables that the scheduler itself reads or sets.
    ``option`` is the form, with an example, of a directive in a site's template: it must be comparable with those of
    the description. ``never`` are options that no template may set, ``verbatim`` whole lines of another dialect that
    a template may have."""

    prefix: str
    directives: Callable[[BatchSpec], list[str]]
    array: str
    job_id: re.Pattern[str]
    job_id_env: str
    index_env: str
    never: frozenset[str]
    env_prefixes: tuple[str, ...] = ()
    lacks: Mapping[str, str] = field(default_factory=dict)
    option: re.Pattern[str] = re.compile(r"(?P<name>-[A-Za-z])(?: (?P<value>[^\s'\"]+))?")
    example: str = "-l feature=ssd"
    verbatim: frozenset[str] = frozenset()


def dependencies(spec: BatchSpec) -> str:
    """Return ``after`` as all schedulers write it: ``afterok:17:18,afterany:19``."""
    return ",".join(":".join([condition, *ids]) for condition, ids in spec.after.items())

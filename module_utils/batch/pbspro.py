"""PBS Pro (OpenPBS): directives, commands, states, exit codes.

Sources: recorded sessions of 23.06, src/include/pbs_error.h.
"""

from __future__ import annotations

import functools
import json
import re

from . import pbs
from .dialect import Dialect
from .qstat import Columns, folded, qstat_listing
from .reply import AnswerError, Attributes, Phase, Verdict, short
from .scheduler import KILLED, OUT_OF_MEMORY, WALLTIME_EXCEEDED, Commands, Question, Scheduler, by_code
from .spec import BatchSpec

# -- directives --------------------------------------------------------------------------------------------------------


def _chunks(spec: BatchSpec) -> list[str]:
    chunk = f"ncpus={spec.cores_per_node}:mpiprocs={spec.launch.N}:ompthreads={spec.launch.d}"
    return [f"select={spec.nodes}:{chunk}", "place=scatter:excl"]


DIALECTS = {
    "pbspro": Dialect(
        "#PBS",
        pbs.directives(_chunks, "-J", "{name}-^array_index^.out"),
        array="-J",
        job_id=pbs.JOB_ID,
        job_id_env=pbs.JOB_ID_ENV,
        index_env="PBS_ARRAY_INDEX",
        never=pbs.NEVER,
        env_prefixes=pbs.ENV_PREFIXES,
    ),
}

# -- answers -----------------------------------------------------------------------------------------------------------

SCHEDULERS = {
    "pbspro": Scheduler(
        dialects=tuple(DIALECTS),
        native_id=pbs.NATIVE_ID,
        states={
            **pbs.STATES,
            **dict.fromkeys("BUM", Phase.RUNNING),
            **dict.fromkeys("FX", Phase.ENDED),
        },
        read_listing=functools.partial(qstat_listing, columns=Columns(id_width=17, state=62), reasons=pbs.REASONS),
        stuck=pbs.STUCK,
        # Not its JSON, which environments break.
        commands=Commands(
            ("qsub",),
            ("qdel",),
            ("qstat",),
            Question(("qstat", "-f"), folded),
            history=Question(("qstat", "-x", "-f"), folded),
        ),
        unknown=re.compile(r"Unknown Job Id|Job has finished|not configured to maintain job history"),
        texts=pbs.TEXTS,
        # PBSE_* of src/include/pbs_error.h less 15000 plus 152; below 100 those from 15104 on.
        codes=by_code(
            {
                Verdict.GONE: [35, 153, 168],  # finished; unknown job; bad state: qdel of an ended job
                Verdict.BUSY: [171, 173, 212],  # credential, queue not enabled, shutting down
                Verdict.LIMIT: [38, 198],
                Verdict.DOUBT: [162, 163, 183],  # system, internal, protocol
                Verdict.FATAL: [2, 159, 166, 170, 174, 187, 188, 201],
            }
        ),
        # (recorded: -29, 271)
        endings={-29: WALLTIME_EXCEEDED, -27: OUT_OF_MEMORY, 256 + 9: KILLED, 256 + 15: KILLED},
    ),
}


def qstat_json(text: str) -> list[Attributes]:
    """Read PBS Pro's ``qstat -f -F json``, by lines where it is no valid JSON.

    Environments break PBS Pro's JSON (numbers like ``005``, escapes, shell functions). Of its lines only those of
    the job itself count. Noise before the JSON is skipped."""
    begin = re.search(r"^\{", text, re.MULTILINE)
    if not begin or not text.rstrip().endswith("}"):
        raise AnswerError(f"no whole JSON in the answer: {short(text)}")
    try:
        tree = json.loads(text[begin.start() :], object_pairs_hook=list)
    except ValueError:
        return _json_lines(text[begin.start() :])
    jobs = []
    for native_id, pairs in _pairs(dict(tree).get("Jobs", [])):
        flat = [(key, _word(value)) for key, value in _pairs(pairs)]
        used = [pair for key, value in _pairs(pairs) if key == "resources_used" for pair in _pairs(value)]
        flat += [(f"resources_used.{key}", _word(value)) for key, value in used]
        jobs.append(Attributes(native_id, flat))
    return jobs


def _pairs(value: object) -> list[tuple[str, object]]:
    """Return the pairs of an object that json read with ``object_pairs_hook=list``."""
    if isinstance(value, list) and all(isinstance(pair, tuple) for pair in value):
        return value
    raise AnswerError(f"an object was expected in PBS Pro's JSON: {short(str(value))}")


def _word(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


_JSON_JOB = re.compile(r'\t\t"([^"]*)":\t\{')
_JSON_LINE = re.compile(r'(\t{3,4})"([^"]*)":\t(?:"(.*)"|(.*?)),?')


def _json_lines(text: str) -> list[Attributes]:
    """Read PBS Pro's JSON by lines.

    Two tabs come before a job, three before an attribute, four before a nested value."""
    jobs, native_id, found, group = [], None, [], ""
    for line in text.split("\n"):
        if match := _JSON_JOB.fullmatch(line):
            if native_id is not None:
                raise AnswerError(f"PBS Pro's JSON is broken: job {native_id} has no end")
            native_id, found, group = match[1], [], ""
        elif native_id is not None and re.fullmatch(r"\t\t\},?", line):
            jobs.append(Attributes(native_id, found))
            native_id = None
        elif native_id is not None and (match := _JSON_LINE.fullmatch(line)):
            tabs, key, string, bare = match.groups()
            if len(tabs) == 3:
                group = key if bare == "{" else ""
                found.append((key, string if bare is None else bare))
            else:
                found.append((f"{group}.{key}", string if bare is None else bare))
    if native_id is not None or not jobs:
        raise AnswerError(f"PBS Pro's JSON is broken and its lines are no help: {short(text)}")
    return jobs

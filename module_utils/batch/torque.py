"""Torque, and its dialect for Cray: directives, commands, states, exit codes.

Sources: recorded sessions of 6.1.3, src/include/pbs_error_db.h and server_limits.h.
"""

from __future__ import annotations

import functools
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

from . import pbs
from .dialect import Dialect
from .qstat import Columns, qstat_listing
from .reply import AnswerError, Attributes, Ending, Phase, Verdict, short
from .scheduler import KILLED, OUT_OF_MEMORY, WALLTIME_EXCEEDED, Commands, Question, Scheduler, by_code
from .spec import BatchSpec

# -- directives --------------------------------------------------------------------------------------------------------


def _nodes(spec: BatchSpec) -> list[str]:
    return [f"nodes={spec.nodes}:ppn={spec.cores_per_node}"]


def _cray_nodes(spec: BatchSpec) -> list[str]:
    # Whole nodes, one width per core; Torque refuses nodes= or ncpus= beside mppwidth.
    return [f"mppwidth={spec.nodes * spec.cores_per_node}", f"mppnppn={spec.cores_per_node}", "mppdepth=1"]


def _dialect(resources: Callable[[BatchSpec], list[str]]) -> Dialect:
    return Dialect(
        "#PBS",
        pbs.directives(resources, "-t"),  # Torque itself adds an array's index to the name of the output
        array="-t",
        job_id=pbs.JOB_ID,
        job_id_env=pbs.JOB_ID_ENV,
        index_env="PBS_ARRAYID",
        never=pbs.NEVER,
        env_prefixes=pbs.ENV_PREFIXES,
        lacks={"project": "Torque's -P names another user, not a project: use account"},
        # Slurm behind Torque's commands ignores -r n and reads this line.
        verbatim=frozenset({"#SBATCH --no-requeue"}),
    )


DIALECTS = {"torque": _dialect(_nodes), "torque_cray": _dialect(_cray_nodes)}

# -- answers -----------------------------------------------------------------------------------------------------------


def qstat_xml(text: str) -> list[Attributes]:
    """Read Torque's ``qstat -x``: one element ``Data`` with noise around it."""
    begin, end = text.find("<Data>"), text.rfind("</Data>")
    if begin < 0 or end < 0:
        raise AnswerError(f"no XML of Torque in the answer: {short(text)}")
    # Torque writes the control characters of a job's environment as they are; XML knows none of them.
    data = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "?", text[begin:end] + "</Data>")
    try:
        # A text that begins with <Data> declares no entities, so it cannot grow.
        tree = ElementTree.fromstring(data)  # noqa: S314
    except ElementTree.ParseError as error:
        raise AnswerError(f"Torque's XML is broken: {error}") from None
    jobs = []
    for element in tree:
        nested = [(f"{child.tag}.{leaf.tag}", leaf.text or "") for child in element for leaf in child]
        flat = [(child.tag, child.text or "") for child in element]
        jobs.append(Attributes(element.findtext("Job_Id", ""), flat + nested))
    return jobs


_NOT_STARTED = Ending("the node could not start it", is_external=True)

SCHEDULERS = {
    "torque": Scheduler(
        dialects=tuple(DIALECTS),
        native_id=pbs.NATIVE_ID,
        states={**pbs.STATES, "C": Phase.ENDED},
        read_listing=functools.partial(qstat_listing, columns=Columns(id_width=26, state=69), reasons=pbs.REASONS),
        stuck=pbs.STUCK,
        # XML, because an environment with newlines can write attributes into qstat -f.
        commands=Commands(("qsub",), ("qdel",), ("qstat",), Question(("qstat", "-x"), qstat_xml)),
        unknown=re.compile(r"Unknown Job Id"),
        texts=pbs.TEXTS,
        # PBSE_* of src/include/pbs_error_db.h less 15000 plus 152; below 100 those from 15104 on.
        codes=by_code(
            {
                Verdict.GONE: [153, 170],  # unknown job; bad state: qdel of an ended job
                Verdict.BUSY: [
                    # cannot connect, server busy, no such client, trqauthd, login busy, queue in recovery
                    *(16, 29, 30, 31, 33, 35, 63),
                    # munge, host, credential, expired; queue not enabled, connections, resource, shutting down, queue
                    *(160, 161, 162, 173, 174, 175, 187, 198, 214, 255),
                ],
                Verdict.LIMIT: [200, 228],
                # end of file; system, internal, protocol, timeout; socket errors
                Verdict.DOUBT: [10, 67, 164, 165, 185, 210, 237, 249, 250, 251],
                Verdict.FATAL: [
                    *(2, 4),  # qsub's own: usage, options that exclude each other
                    # attribute, permission, value, queue, its access, user, resource, its limits
                    *(154, 159, 168, 172, 176, 177, 189, 190),
                    # route, script, group, limit, account, dependency, no batch jobs, not rerunable, array
                    *(193, 196, 199, 202, 203, 208, 231, 232, 233, 235, 241),
                ],
            }
        ),
        # JOB_EXEC_* of src/include/server_limits.h; 256 and the signal's number (recorded: -11, 265, 271)
        endings={
            **dict.fromkeys([-1, -2, -3], _NOT_STARTED),
            -10: OUT_OF_MEMORY,
            **dict.fromkeys([-11, -12], WALLTIME_EXCEEDED),
            **dict.fromkeys([256 + 9, 256 + 15], KILLED),
            0: Ending("its processes died", is_external=True),
        },
    ),
}

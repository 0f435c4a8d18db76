"""Make a job from the attributes of its full status, in whichever form they came."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .reply import AnswerError, Attributes, Job, Phase
from .spec import clock_seconds

# Attributes that count, once each: a second one is forged by another attribute's value.
_COUNT = ("job_name", "job_owner", "job_state", "exit_status")


def job_of(attributes: Attributes, id_pattern: re.Pattern[str], states: Mapping[str, Phase]) -> Job:
    """Return the job with these attributes.

    ``states`` gives its phase; an unlisted state counts as running. Raises AnswerError when the attributes are not
    those of a whole job."""
    native_id = attributes.native_id
    values: dict[str, str] = {}
    for key, value in attributes.pairs:
        key = key.lower()  # Torque's exit_status is PBS Pro's Exit_status
        if key in _COUNT and key in values:
            raise AnswerError(f"the full status of {native_id!r} has {key} twice")
        values[key] = value
    if not id_pattern.fullmatch(native_id):
        raise AnswerError(f"{native_id!r} in the full status is no job id")
    # A name may be empty (sbatch -J '').
    if "job_name" not in values or not values.get("job_state"):
        raise AnswerError(f"the full status of {native_id} lacks its name or its state")
    state = values["job_state"]
    phase = states.get(state, Phase.RUNNING)
    ended_with = values.get("exit_status", "")
    return Job(
        native_id=native_id,
        name=values["job_name"],
        user=values.get("job_owner", "").split("@")[0],
        state=state,
        phase=phase,
        queue=values.get("queue", ""),
        exit_status=int(ended_with) if phase is Phase.ENDED and re.fullmatch(r"-?[0-9]+", ended_with) else None,
        walltime_used=clock_seconds(values.get("resources_used.walltime", "")),
        hosts=_hosts(values.get("exec_host", "")),
        reason=values.get("reason", ""),
    )


def _hosts(text: str) -> tuple[str, ...]:
    """Return the distinct hosts in ``a/0+a/1+b/0-15`` (PBS) or ``a,b[1-3,5]`` (Slurm)."""
    parts = re.split(r"\+|,(?![^\[]*\])", text)
    return tuple(dict.fromkeys(part.split("/")[0] for part in parts if part))

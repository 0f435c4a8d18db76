"""What batch systems answer to qsub, qstat and qdel (or sbatch, squeue and scancel), read without guessing.

Pure Python without imports of Ansible or Django: the Ansible module ``batch_job`` and the render manager use this same
file. It runs on whatever Python the login node has, hence nothing newer than Python 3.8.

The same exit code means different things to different systems (35 is "finished" to PBS Pro and "busy" to Torque), hence
one table entry for each kind, chosen by the site and never sniffed. An answer that cannot be read raises AnswerError:
it is never taken for "there is no such job". Tables: the systems' own error lists; tests read recorded sessions.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum


class AnswerError(Exception):
    """The answer cannot be read. It says nothing about any job."""


class Verdict(Enum):
    """What an error code says about what was asked."""

    GONE = "the job is not known: it ended or never was"
    BUSY = "not now: nothing was done, ask again"
    LIMIT = "too many jobs are queued: nothing was done, ask again later"
    DOUBT = "it may have been done or not"
    FATAL = "refused: asking again gets the same answer"


class Phase(Enum):
    """Where a job is, as far as the batch system's letter tells."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True)
class Reply:
    """What a program of the batch system said: its exit code and its two outputs."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Submitted:
    """qsub took the job."""

    native_id: str


@dataclass(frozen=True)
class Refused:
    """qsub's answer when there is no job id; ``verdict`` is BUSY, LIMIT, DOUBT or FATAL, ``text`` is its own."""

    verdict: Verdict
    text: str


@dataclass(frozen=True)
class Seen:
    """One job in a listing; ``number`` is the id's numeric part, because listings cut the server's name.

    ``user`` may be cut, too; ``short_id`` is what to ask for: the number, with the mark of an array."""

    number: str
    name: str
    phase: Phase
    user: str
    short_id: str


@dataclass(frozen=True)
class Job:
    """One job's full status.

    ``state`` is the system's own word and ``phase`` its meaning; ``exit_status`` is that of an ended job (PBS Pro: 256
    and more or negative when it was killed), None where the system does not tell; ``walltime_used`` is in seconds;
    ``hosts`` are as the system names them, Slurm's with its ranges (``nid[1-3]``).
    """

    native_id: str
    name: str
    user: str
    state: str
    phase: Phase
    queue: str
    exit_status: int | None = None
    walltime_used: int | None = None
    hosts: tuple[str, ...] = ()


def number(native_id: str) -> str:
    """The numeric part of a job id, which is what listings and ids from inside the job (``0:123.server``) share."""
    found = re.match(r"(?:[0-9]+:)?([0-9]+)", native_id)
    return found[1] if found else ""


def same_job(one: str, other: str) -> bool:
    """Whether two ids mean one job: the same number, and servers of which either may be missing or cut."""
    servers = sorted((re.sub(r"^[^.]*\.?", "", it) for it in (one, other)), key=len)
    return number(one) == number(other) != "" and servers[1].startswith(servers[0])


def same_user(shown: str, user: str) -> bool:
    """Whether a listing's column, which cuts names at 15 characters or later (PBS Pro marks that with ``*``), is
    ``user``."""
    cut = shown.rstrip("*")
    return shown == user or (len(cut) >= 15 and user.startswith(cut))


class Listing(dict):
    """The jobs in a listing by number, and the lines that could not be read as a job (names may hold anything)."""

    def __init__(self, jobs: Iterable[Seen], unreadable: Sequence[str] = ()) -> None:
        super().__init__((job.number, job) for job in jobs)
        self.unreadable = unreadable

    def find(self, native_id: str, name: str) -> Seen | None:
        """The job with this id and name: numbers come again when a batch system is set up anew.

        Raises AnswerError when it is not there, but a line that cannot be read mentions it."""
        wanted = number(native_id)
        seen = self.get(wanted)
        if seen and seen.name == name:
            return seen
        self._refuse(lambda line: name in line.split() or re.match(rf"\s*{wanted}\b", line))
        return None

    def named(self, name: str, user: str | None = None) -> list[Seen]:
        """The jobs of this name, of one user or of all. Raises AnswerError when a line that cannot be read may be one
        of them."""
        self._refuse(lambda line: any(word == name or (user and same_user(word, user)) for word in line.split()))
        return [seen for seen in self.values() if seen.name == name and (not user or same_user(seen.user, user))]

    def _refuse(self, mentions: Callable[[str], object]) -> None:
        for line in self.unreadable:
            if mentions(line):
                raise AnswerError(f"a line of the listing that may be the job's cannot be read: {line.strip()[:120]!r}")


# -- plain listings ----------------------------------------------------------------------------------------------------

_HEADER = re.compile(r"Job (id|ID)\s+Name\s")
_RULE = re.compile(r"(?P<id>-+) +(-+ +){3}(?P<state>-) +-+")
_LISTED = re.compile(
    r"(?P<id>(?P<short>(?P<number>[0-9]+)(?:\[[0-9]*\])?)(?:\.\S*)?)\s+(?P<name>\S.*?)\s+(?P<user>\S+)"
    r"\s+(?:[0-9:]+|-|--)\s+(?P<state>[A-Z])\s+\S+"
)


def _qstat_listing(system: System, reply: Reply) -> Listing:
    """Plain qstat: a header, a rule, one line for each job with its columns where the rule has them."""
    # Not splitlines(): other people's job names may hold what it takes for the end of a line.
    lines = [line.rstrip() for line in reply.stdout.split("\n")]
    header = next((at for at, line in enumerate(lines) if _HEADER.match(line)), None)
    if header is None:
        silent = not reply.stdout.strip() and not reply.stderr.strip()
        if silent and reply.code == system.empty_code:
            return Listing([])
        raise AnswerError(f"qstat ended with {reply.code} and no listing: {_excerpt(reply)}")
    if reply.code != 0:
        raise AnswerError(f"qstat ended with {reply.code}, its listing may lack jobs: {_excerpt(reply)}")
    rule = _RULE.fullmatch(lines[header + 1]) if header + 1 < len(lines) else None
    rows = [line for line in lines[header + 2 :] if line]
    # Without jobs there is no header either; a last line without an end was cut short.
    if rule is None or not rows or not reply.stdout.endswith("\n"):
        raise AnswerError(f"qstat's listing is cut short: {_excerpt(reply)}")
    seen, unreadable = [], []
    for row in rows:
        match = _LISTED.fullmatch(row)
        # A row that something was written into has its columns elsewhere; so has one of Torque's with a wide id.
        if match and 0 <= match.start("state") - rule.start("state") <= max(0, len(match["id"]) - len(rule["id"])):
            # A letter that is not in the table says that the job is there, and no more.
            phase = system.states.get(match["state"], Phase.RUNNING)
            seen.append(Seen(match["number"], match["name"], phase, match["user"], match["short"]))
        else:
            unreadable.append(row)
    return Listing(seen, unreadable)


def _squeue_listing(system: System, reply: Reply) -> Listing:
    """squeue for one user, in our own format: every line is one of ours, so one that cannot be read is an error."""
    if reply.code != 0:
        raise AnswerError(f"squeue ended with {reply.code}: {_excerpt(reply)}")
    jobs = _squeue(system, reply.stdout)
    return Listing(Seen(job.native_id, job.name, job.phase, job.user, job.native_id) for job in jobs)


# -- full status: one reader for each form -----------------------------------------------------------------------------


def _folded(system: System, text: str) -> list[Job]:
    """``qstat -f`` of Torque and PBS Pro, ``-f -1`` too: four blanks and ``key = value``, continued after a tab.

    A line of another shape belongs to the value before it, which had a newline."""
    return _blocks(system, text.replace("\n\t", ""), re.compile(r" {4}([A-Za-z_][\w.]*) = ?(.*)"))


def _wrapper(system: System, text: str) -> list[Job]:
    """``qstat -f`` of Slurm's wrapper: a tab and ``key = value``, never folded."""
    return _blocks(system, text, re.compile(r"\t([A-Za-z_][\w.]*) = ?(.*)"))


def _blocks(system: System, text: str, attribute: re.Pattern[str]) -> list[Job]:
    if not text.endswith("\n"):
        raise AnswerError(f"the full status is cut short: {text[-120:]!r}")
    parts = re.split(r"^Job Id:[ \t]*(.*)\n", text, flags=re.MULTILINE)
    jobs = []
    for native_id, body in zip(parts[1::2], parts[2::2]):  # noqa: B905 -- strict= came with Python 3.10
        found = [match.groups() for line in body.split("\n") if (match := attribute.fullmatch(line))]
        jobs.append(_job(system, native_id, found))
    return jobs


def _xml(system: System, text: str) -> list[Job]:
    """Torque's ``qstat -x``: one element ``Data`` with noise around it."""
    begin, end = text.find("<Data>"), text.rfind("</Data>")
    if begin < 0 or end < 0:
        raise AnswerError(f"no XML of Torque in the answer: {_short(text)}")
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
        jobs.append(_job(system, element.findtext("Job_Id", ""), flat + nested))
    return jobs


def _json(system: System, text: str) -> list[Job]:
    """PBS Pro's ``qstat -f -F json``, read as JSON if it is that.

    PBS Pro writes environments that break it (numbers like ``005``, escapes, shell functions); then it is read by its
    lines, of which only those of the job itself count. Noise before it is read over."""
    begin = re.search(r"^\{", text, re.MULTILINE)
    if not begin or not text.rstrip().endswith("}"):
        raise AnswerError(f"no whole JSON in the answer: {_short(text)}")
    try:
        tree = json.loads(text[begin.start() :], object_pairs_hook=list)
    except ValueError:
        return _json_lines(system, text[begin.start() :])
    jobs = []
    for native_id, pairs in _pairs(dict(tree).get("Jobs", [])):
        flat = [(key, _word(value)) for key, value in _pairs(pairs)]
        used = [pair for key, value in _pairs(pairs) if key == "resources_used" for pair in _pairs(value)]
        jobs.append(_job(system, native_id, flat + [(f"resources_used.{key}", _word(value)) for key, value in used]))
    return jobs


def _pairs(value: object) -> list[tuple[str, object]]:
    """The pairs of an object that json read with ``object_pairs_hook=list``."""
    if isinstance(value, list) and all(isinstance(pair, tuple) for pair in value):
        return value
    raise AnswerError(f"an object was expected in PBS Pro's JSON: {_short(str(value))}")


def _word(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


_JSON_JOB = re.compile(r'\t\t"([^"]*)":\t\{')
_JSON_LINE = re.compile(r'(\t{3,4})"([^"]*)":\t(?:"(.*)"|(.*?)),?')


def _json_lines(system: System, text: str) -> list[Job]:
    """The same by lines: two tabs before a job, three before its attributes, four before what they hold."""
    jobs, native_id, found, group = [], None, [], ""
    for line in text.split("\n"):
        if match := _JSON_JOB.fullmatch(line):
            if native_id is not None:
                raise AnswerError(f"PBS Pro's JSON is broken: job {native_id} has no end")
            native_id, found, group = match[1], [], ""
        elif native_id is not None and re.fullmatch(r"\t\t\},?", line):
            jobs.append(_job(system, native_id, found))
            native_id = None
        elif native_id is not None and (match := _JSON_LINE.fullmatch(line)):
            tabs, key, string, bare = match.groups()
            if len(tabs) == 3:
                group = key if bare == "{" else ""
                found.append((key, string if bare is None else bare))
            else:
                found.append((f"{group}.{key}", string if bare is None else bare))
    if native_id is not None or not jobs:
        raise AnswerError(f"PBS Pro's JSON is broken and its lines are no help: {_short(text)}")
    return jobs


_SQUEUE_FORMAT = "%i|%t|%M|%P|%u|%N|%j"  # the name last: it may hold anything
_SQUEUE_HEADER = "JOBID|ST|TIME|PARTITION|USER|NODELIST|NAME"


def _squeue(system: System, text: str) -> list[Job]:
    """squeue in ``_SQUEUE_FORMAT``. It tells no exit code, but COMPLETED means 0."""
    lines = text.split("\n")
    if _SQUEUE_HEADER not in lines or lines[-1]:
        raise AnswerError(f"no whole listing of squeue in the answer: {_short(text)}")
    jobs = []
    for line in lines[lines.index(_SQUEUE_HEADER) + 1 : -1]:
        # An array that waits is one line: 6_[0-2].
        native_id, *columns = line.split("|", 6)
        if not re.fullmatch(r"[0-9]+([_+]\S+)?", native_id) or len(columns) != 6:
            raise AnswerError(f"a line of squeue cannot be read: {_short(line)}")
        state, used, queue, user, hosts, name = columns
        found = {"job_state": state, "resources_used.walltime": used, "queue": queue, "job_owner": user}
        found.update({"job_name": name, "exec_host": hosts, "exit_status": "0" if state == "CD" else ""})
        jobs.append(_job(system, number(native_id), list(found.items())))
    return jobs


def _job(system: System, native_id: str, found: Iterable[tuple[str, str]]) -> Job:
    """A job from its attributes. Those that count must be there once: a second one came out of somebody's value."""
    values: dict[str, str] = {}
    for key, value in found:
        key = key.lower()  # Torque's exit_status is PBS Pro's Exit_status
        if key in _COUNT and key in values:
            raise AnswerError(f"the full status of {native_id!r} has {key} twice")
        values[key] = value
    if not system.native_id.fullmatch(native_id):
        raise AnswerError(f"{native_id!r} in the full status is no job id")
    if not values.get("job_name") or not values.get("job_state"):
        raise AnswerError(f"the full status of {native_id} lacks its name or its state")
    state = values["job_state"]
    phase = system.states.get(state, Phase.RUNNING)
    ended_with = values.get("exit_status", "")
    return Job(
        native_id=native_id,
        name=values["job_name"],
        user=values.get("job_owner", "").split("@")[0],
        state=state,
        phase=phase,
        queue=values.get("queue", ""),
        exit_status=int(ended_with) if phase is Phase.ENDED and re.fullmatch(r"-?[0-9]+", ended_with) else None,
        walltime_used=_seconds(values.get("resources_used.walltime", "")),
        hosts=_hosts(values.get("exec_host", "")),
    )


_COUNT = ("job_name", "job_owner", "job_state", "exit_status")
_CLOCK = re.compile(r"(?:(?:([0-9]+)[-:])?([0-9]+):)?([0-9]+):([0-9]+)")


def _seconds(clock: str) -> int | None:
    """Seconds in ``[D-]HH:MM:SS``, ``D:HH:MM:SS``, ``MM:SS`` or plain; None for anything else."""
    if re.fullmatch("[0-9]+", clock):
        return int(clock)
    match = _CLOCK.fullmatch(clock)
    if not match:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _hosts(text: str) -> tuple[str, ...]:
    """The hosts in ``a/0+a/1+b/0-15`` (PBS) or ``a,b[1-3,5]`` (Slurm), each once."""
    parts = re.split(r"\+|,(?![^\[]*\])", text)
    return tuple(dict.fromkeys(part.split("/")[0] for part in parts if part))


FORMS: dict[str, Callable[[System, str], list[Job]]] = {
    "folded": _folded,
    "wrapper": _wrapper,
    "xml": _xml,
    "json": _json,
    "squeue": _squeue,
}


# -- the kinds of batch systems ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Commands:
    """What to run, as argument lists to append to: a script's name, a user (squeue) or a job id. ``form`` is that of
    ``status`` and ``history``; jobs that are over are in ``history``, where there is one."""

    submit: tuple[str, ...]
    cancel: tuple[str, ...]
    listing: tuple[str, ...]
    status: tuple[str, ...]
    form: str
    name: str = "-N"
    by_user: bool = False
    history: tuple[str, ...] = ()


@dataclass(frozen=True)
class System:
    """One kind of batch system: its job ids, its letters for states, its exit codes, its ways."""

    native_id: re.Pattern[str]
    states: Mapping[str, Phase]
    codes: Mapping[int, Verdict]
    commands: Commands
    # What the system says of a job that it does not know; None where it says nothing.
    unknown: re.Pattern[str] | None = None
    # Texts that decide where the exit code says nothing; the first that is found counts.
    texts: Sequence[tuple[re.Pattern[str], Verdict]] = ()
    # A pattern of what may follow the id in the answer to a submission.
    after_id: str = ""
    # What qstat exits with, without a word, when there is no job at all.
    empty_code: int = 0
    # What qdel exits with, without a word, for a job that is not there (any more).
    gone_silently: int | None = None

    def submitted(self, reply: Reply) -> Submitted | Refused:
        """What qsub answered. Only a last line that is a job id, with exit 0, is a job: warnings may come before it."""
        text = _text(reply)
        if reply.code == 0:
            lines = [line.strip() for line in reply.stdout.splitlines() if line.strip()]
            last = re.fullmatch(f"(?P<id>{self.native_id.pattern}){self.after_id}", lines[-1]) if lines else None
            if last:
                return Submitted(last["id"])
            return Refused(Verdict.DOUBT, text or "qsub said nothing")
        verdict = self._verdict(reply.code, text, Verdict.FATAL)
        return Refused(verdict if verdict is not Verdict.GONE else Verdict.FATAL, text or f"qsub: exit {reply.code}")

    def listed(self, reply: Reply) -> Listing:
        """The jobs in the answer to ``commands.listing``, by number. Raises AnswerError when it is not a whole one."""
        return (_squeue_listing if self.commands.by_user else _qstat_listing)(self, reply)

    def deleted(self, reply: Reply) -> Refused | None:
        """None when the job is or will be gone, else what qdel said."""
        text = _text(reply)
        if reply.code == 0 or (not text and reply.code == self.gone_silently):
            return None
        verdict = self._verdict(reply.code, text, Verdict.BUSY)
        return None if verdict is Verdict.GONE else Refused(verdict, text or f"qdel ended with {reply.code}")

    def status(self, reply: Reply, native_id: str) -> Job | None:
        """One job in the answer to ``commands.status`` or ``history`` for its id (listings' cut ones will do).

        None only where the system itself says that it does not know the job, or keeps no history. Raises AnswerError
        for an answer that cannot be read, or that is about another job."""
        if reply.code != 0 or (_NO_HISTORY.search(reply.stderr) and not reply.stdout.strip()):
            if self._is_unknown(reply):
                return None
            raise AnswerError(f"the full status of {native_id} ended with {reply.code}: {_excerpt(reply)}")
        jobs = [
            job for job in FORMS[self.commands.form](self, reply.stdout) if number(job.native_id) == number(native_id)
        ]
        if len(jobs) != 1 or not same_job(jobs[0].native_id, native_id):
            raise AnswerError(f"the answer is not about {native_id}: {_excerpt(reply)}")
        return jobs[0]

    def _is_unknown(self, reply: Reply) -> bool:
        if self.unknown is None:
            return not _text(reply) and self.codes.get(reply.code) is Verdict.GONE
        return bool(self.unknown.search(_text(reply)))

    def _verdict(self, code: int, text: str, default: Verdict) -> Verdict:
        for pattern, verdict in self.texts:
            if pattern.search(text):
                return verdict
        return self.codes.get(code, default)


def _text(reply: Reply) -> str:
    return "\n".join(part.strip() for part in (reply.stderr, reply.stdout) if part.strip())


def _excerpt(reply: Reply) -> str:
    return _short(reply.stderr.strip() or reply.stdout)


def _short(text: str) -> str:
    return " ".join(text.split())[:300] or "it said nothing"


_NO_HISTORY = re.compile(r"not configured to maintain job history")
_PBS_ID = re.compile(r"[0-9]+(\[[0-9]*\])?\.[A-Za-z0-9_.-]+")
_WAITING, _RUNNING, _ENDED = Phase.WAITING, Phase.RUNNING, Phase.ENDED

# E(xiting) is not ended: the program may still write.
_PBS_STATES = {**dict.fromkeys("QHWT", _WAITING), **dict.fromkeys("RES", _RUNNING)}
_SLURM_TEXTS = (
    (re.compile(r"timed out|Zero Bytes were transmitted|Message receive failure"), Verdict.DOUBT),
    (re.compile(r"Unable to contact slurm controller|temporarily disabled"), Verdict.BUSY),
    (re.compile(r"SubmitJob|SubmitLimit|MaxSubmit|temporarily unable to accept job"), Verdict.LIMIT),
)


def _codes(verdicts: Mapping[Verdict, Sequence[int]]) -> dict[int, Verdict]:
    return {code: verdict for verdict, codes in verdicts.items() for code in codes}


ANSWERS: dict[str, System] = {
    "torque": System(
        native_id=_PBS_ID,
        states={**_PBS_STATES, "C": _ENDED},
        # XML, because an environment with newlines can write attributes into qstat -f.
        commands=Commands(("qsub",), ("qdel",), ("qstat",), ("qstat", "-x"), "xml"),
        unknown=re.compile(r"Unknown Job Id"),
        codes=_codes(
            {
                Verdict.GONE: [153, 170],  # unknown job; bad state: qdel of an ended job
                Verdict.BUSY: [29, 30, 35, 173],  # server not found, busy, login busy; credential
                Verdict.LIMIT: [200, 228],
                Verdict.DOUBT: [164, 185, 237],  # system, protocol, timeout
                Verdict.FATAL: [159, 166, 172, 175, 176, 189, 190, 203],
            }
        ),
    ),
    "pbspro": System(
        native_id=_PBS_ID,
        states={**_PBS_STATES, "B": _RUNNING, "U": _RUNNING, "M": _RUNNING, "F": _ENDED, "X": _ENDED},
        # Not its JSON, which environments break.
        commands=Commands(("qsub",), ("qdel",), ("qstat",), ("qstat", "-f"), "folded", history=("qstat", "-x", "-f")),
        unknown=re.compile(rf"Unknown Job Id|Job has finished|{_NO_HISTORY.pattern}"),
        codes=_codes(
            {
                Verdict.GONE: [35, 153, 168],  # finished; unknown job; bad state: qdel of an ended job
                Verdict.BUSY: [171],  # credential
                Verdict.LIMIT: [38, 198],
                Verdict.DOUBT: [162, 183],  # system, protocol
                Verdict.FATAL: [159, 166, 170, 173, 174, 187, 188, 201],
            }
        ),
    ),
    # Slurm behind its Torque wrappers: sbatch's words, exit 1 for everything. U is their word for states in between.
    "slurm_torque": System(
        native_id=re.compile(r"[0-9]+"),
        states={"Q": _WAITING, "R": _RUNNING, "S": _RUNNING, "U": _RUNNING, "C": _ENDED},
        commands=Commands(("qsub",), ("qdel",), ("qstat",), ("qstat", "-f"), "wrapper"),
        codes={153: Verdict.GONE},
        texts=_SLURM_TEXTS,
        empty_code=153,
        gone_silently=1,
    ),
    # Slurm's own commands: exit 1 for everything. A state that is not in the table is one in between.
    "slurm": System(
        native_id=re.compile(r"[0-9]+"),
        states={
            **dict.fromkeys(["PD", "RQ", "RH", "RF", "RD", "SE"], _WAITING),
            **dict.fromkeys(["R", "CF", "CG", "S", "ST", "SI", "SO", "RS", "RV"], _RUNNING),
            **dict.fromkeys(["CD", "CA", "F", "TO", "NF", "OOM", "BF", "DL", "PR"], _ENDED),
        },
        commands=Commands(
            submit=("sbatch", "--parsable"),
            cancel=("scancel",),
            listing=("squeue", "-t", "all", "-o", _SQUEUE_FORMAT, "-u"),
            status=("squeue", "-t", "all", "-o", _SQUEUE_FORMAT, "-j"),
            form="squeue",
            name="-J",
            by_user=True,
        ),
        unknown=re.compile(r"Invalid job id specified"),
        after_id=r"(?:;[A-Za-z0-9_.-]+)?",  # the cluster, where there are several
        codes={},
        texts=(
            *_SLURM_TEXTS,
            (re.compile(r"Invalid job id specified|already completing or completed"), Verdict.GONE),
            (re.compile(r"[Pp]ermission denied"), Verdict.FATAL),
        ),
    ),
}

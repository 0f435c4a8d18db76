"""Full status as JSON: PBS Pro's ``qstat -f -F json``."""

from __future__ import annotations

import json
import re

from .reply import AnswerError, Attributes, short


def qstat_json(text: str) -> list[Attributes]:
    """PBS Pro's ``qstat -f -F json``, read as JSON if it is that.

    PBS Pro writes environments that break it (numbers like ``005``, escapes, shell functions); then it is read by its
    lines, of which only those of the job itself count. Noise before it is read over."""
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
    """The pairs of an object that json read with ``object_pairs_hook=list``."""
    if isinstance(value, list) and all(isinstance(pair, tuple) for pair in value):
        return value
    raise AnswerError(f"an object was expected in PBS Pro's JSON: {short(str(value))}")


def _word(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


_JSON_JOB = re.compile(r'\t\t"([^"]*)":\t\{')
_JSON_LINE = re.compile(r'(\t{3,4})"([^"]*)":\t(?:"(.*)"|(.*?)),?')


def _json_lines(text: str) -> list[Attributes]:
    """The same by lines: two tabs before a job, three before its attributes, four before what they hold."""
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

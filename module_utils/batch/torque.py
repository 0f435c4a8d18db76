"""Full status as XML: Torque's ``qstat -x``."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

from .reply import AnswerError, Attributes, short


def qstat_xml(text: str) -> list[Attributes]:
    """Torque's ``qstat -x``: one element ``Data`` with noise around it."""
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

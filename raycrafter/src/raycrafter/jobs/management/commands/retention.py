"""``retention``: delete what is old now; with ``--dry-run`` list what and when."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from raycrafter.jobs import deletion
from raycrafter.jobs.models import Job
from raycrafter.jobs.retention import planned, rules


class Command(BaseCommand):
    """One line for each job: when, what of it, job, owner, bytes."""

    help = "Delete the files and rows of old jobs as [retention] has it. With --dry-run: list what goes soon, and when."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--dry-run", action="store_true", help="change nothing, list what goes")

    def handle(self, *args: Any, **options: Any) -> None:
        """List, or do one bounded run."""
        if not rules().keep_days:
            self.stdout.write("Nothing is deleted by age: [retention] keep_days is not set.")
            return
        if not options["dry_run"]:
            deletion.run()
            return
        found = planned(Job.objects.all(), timezone.now())
        self.stdout.write(f"{'WHEN':16}  {'WHAT':5}  {'JOB':>8}  {'BYTES':>14}  OWNER")
        for item in found:
            row = f"{item.when:%Y-%m-%d %H:%M}  {item.what:5}  {item.job.pk:>8}  {item.size:>14}  "
            self.stdout.write(row + item.job.owner.get_username())
        total = filesizeformat(sum(item.size for item in found)).replace("\xa0", " ")
        self.stdout.write(f"{len(found)} to go within {rules().warn_days} days, {total}")

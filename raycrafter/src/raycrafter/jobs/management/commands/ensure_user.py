"""``ensure_user``: ensure a user's password and rights; idempotent."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from raycrafter.jobs.operators import operators


class Command(BaseCommand):
    """Prints exactly one of: created, changed, unchanged."""

    help = "Make sure that a user exists. The password is read from stdin. Prints created, changed or unchanged."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("username")
        parser.add_argument("--email", default=None)
        parser.add_argument("--staff", action="store_true", help="an operator: all jobs, and how the site is shared")
        parser.add_argument("--superuser", action="store_true", help="may do everything; is staff")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare with what is there, change what differs."""
        password = sys.stdin.readline().rstrip("\r\n")
        model = get_user_model()
        wanted = {
            "is_active": True,
            "is_superuser": options["superuser"],
            "is_staff": options["staff"] or options["superuser"],
        }
        if options["email"] is not None:
            wanted["email"] = options["email"]
        with transaction.atomic():
            user = model.objects.select_for_update().filter(username=options["username"]).first()
            word = "unchanged" if user else "created"
            user = user or model(username=options["username"])
            changed = [name for name, value in wanted.items() if getattr(user, name) != value]
            for name in changed:
                setattr(user, name, wanted[name])
            # check_password would also renew an outdated hash: that is a change, but not one to report
            new_password = word == "created" or not user.check_password(password)
            if new_password:
                user.set_password(password)
            if word == "created" or changed or new_password:
                self._check(user, password if new_password else None)
                user.save()
                word = "created" if word == "created" else "changed"
            # a superuser needs no group
            if self._in_group(user, options["staff"] and not options["superuser"]) and word == "unchanged":
                word = "changed"
        self.stdout.write(word)

    def _in_group(self, user: Any, wanted: bool) -> bool:
        """Make a user an operator, or no longer one. Returns whether that was a change."""
        group = operators()
        if user.groups.filter(pk=group.pk).exists() == wanted:
            return False
        (user.groups.add if wanted else user.groups.remove)(group)
        return True

    def _check(self, user: Any, password: str | None) -> None:
        """Raise CommandError naming what is wrong."""
        try:
            user.full_clean(exclude=["password"])
            if password is not None:
                validate_password(password, user)
        except ValidationError as error:
            raise CommandError(f"user {user.username}: {'; '.join(error.messages)}") from error

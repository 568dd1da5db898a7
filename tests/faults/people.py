"""`python -m tests.faults.people 20` creates so many users, each with a bearer token, and prints them as JSON."""

import sys

import django
import msgspec


def main(count: int) -> None:
    django.setup()
    from django.contrib.auth.models import User

    from sessions_core.services import tokens

    people = [User.objects.create(username=f"user-{n}", password="!") for n in range(count)]
    made = [{"id": user.pk, "token": tokens.issue(user, label="faults")} for user in people]
    sys.stdout.write(msgspec.json.encode(made).decode())


if __name__ == "__main__":
    main(int(sys.argv[1]))

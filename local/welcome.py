"""What a user sees when the platform is there."""

from collections.abc import Mapping
from textwrap import dedent


def welcome(url: str, places: Mapping[str, object], *, is_time_virtual: bool = False) -> str:
    """Where to find everything, and commands to begin with."""
    where = {"documentation": f"{url}/docs", **places}
    width = max(map(len, where))
    lines = "\n".join(f"  {name:{width}}  {place}" for name, place in where.items())
    commands = dedent(
        f"""\
        Try it:

          curl -s {url}/api/v1/auth/register -H 'Content-Type: application/json' \\
            -d '{{"email":"me@example.com","password":"secret123"}}'
          TOKEN=$(curl -s {url}/api/v1/auth/login -d 'username=me@example.com&password=secret123' |
            python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')
          curl -s {url}/api/v1/projects -H "Authorization: Bearer $TOKEN" \\
            -H 'Content-Type: application/json' -d '{{"name":"payments"}}'
          curl -s {url}/api/v1/projects -H "Authorization: Bearer $TOKEN"
        """
    )
    advance = _advance(url) if is_time_virtual else ""
    return f"envctl serves {url}\n\n{lines}\n\n{commands}{advance}\nCtrl-C ends it.\n"


def _advance(url: str) -> str:
    return dedent(
        f"""
        Time is virtual: nothing happens until the clock is advanced.

          curl -s {url}/api/v1/simulation/clock -H "Authorization: Bearer $TOKEN"
          curl -s {url}/api/v1/simulation/clock/advance -H "Authorization: Bearer $TOKEN" \\
            -H 'Content-Type: application/json' -d '{{"by":"PT1H"}}'
        """
    )

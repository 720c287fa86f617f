"""Least privilege, whole: over the plan for three teams there is every grant that is needed, and no other."""

from tests.infra.terraform.conftest import TEAMS
from tests.infra.terraform.grants import odd
from tests.infra.terraform.terraform import Plan


def test_everybody_may_what_is_needed_and_nothing_else(plan: Plan) -> None:
    assert odd(plan, TEAMS) == set()

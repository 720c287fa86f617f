"""The properties of timelines, as `tests/unit` states them, held against what a store contains."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from shared import documents
from shared.domain.aggregate import Aggregate
from tests.unit import promises, rules
from tests.unit.lives import Event, Life, kept

RULES = (
    rules.nothing_can_be_stuck,
    rules.only_legal_moves,
    rules.at_most_one_deployment_is_busy,
    rules.nothing_runs_in_an_environment_that_has_ended,
    rules.unfinished_is_what_has_not_ended,
    rules.settling_changes_nothing,
    promises.few_deployments_are_unfinished,
    promises.what_is_live_is_what_succeeded_last,
    promises.numbers_have_no_gaps,
)
"""Those that need no knowledge of what was asked for."""


def broken_rules(
    environment: dict[str, Any], deployments: list[dict[str, Any]], now: datetime
) -> Iterator[str]:
    """The rules that an environment with all its deployments breaks, and how."""
    found = sorted(map(documents.deployment, deployments), key=lambda item: item.number)
    aggregate = kept(Aggregate(documents.environment(environment), tuple(found)))
    life = Life(
        aggregate, aggregate.environment.expires_at, deployments={item.number: item for item in found}
    )
    event = Event("settle", now, None, aggregate, None, None, None, (), life)
    for rule in RULES:
        for fault in rule(event):
            yield f"{rule.__name__}: {fault}"

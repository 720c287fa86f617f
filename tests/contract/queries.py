"""The queries that `shared/indexes.json` declares, made-up documents, and the plain way to an answer."""

import operator
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from shared.ports import Create, Document, Filter, Order, Query, Ref, Store

NEWEST = Order("created_at", descending=True)
HIGHEST = Order("number", descending=True)
SOONEST = Order("due_at")

PROJECT = Filter("project_id", "==", "p1")
ENVIRONMENT = Filter("environment_id", "==", "e1")
SHORT = Filter("type", "==", "ephemeral")
TYPES = Filter("type", "in", ("ephemeral", "persistent"))
STATUSES = Filter("status", "in", ("running", "failed", "deleting"))
MEMBER = Filter("member_ids", "array_contains", "u1")


def moment(number: int) -> str:
    return f"2026-01-01T00:00:{number:02}.000000Z"


DUE = Filter("due_at", "<=", moment(6))
CREATED = (Filter("created_at", ">", moment(2)), Filter("created_at", "<=", moment(6)))
OVERDUE = Filter("due_at", "<", moment(6))

SHAPES = {
    "environments in a status": Query("environments", (PROJECT, STATUSES, TYPES), NEWEST),
    "environments of a type in a status": Query("environments", (PROJECT, STATUSES, SHORT), NEWEST),
    "due environments of a project": Query("environments", (PROJECT, DUE), SOONEST),
    "overdue environments": Query("environments", (OVERDUE,), SOONEST),
    "deployments": Query("deployments", (ENVIRONMENT,), HIGHEST),
    "deployments in a status": Query("deployments", (ENVIRONMENT, STATUSES), HIGHEST),
    "oldest deployments": Query("deployments", (ENVIRONMENT, Filter("number", "<=", 5)), Order("number")),
    "latest environments": Query(
        "environments",
        (PROJECT, STATUSES, TYPES, *CREATED),
        NEWEST,
    ),
    "projects of a member": Query("projects", (MEMBER, Filter("ended", "==", False)), NEWEST),
    "overdue projects": Query("projects", (OVERDUE,), SOONEST),
}


def made_up(random: Random) -> dict[str, Any]:
    """Data with which every filter has hits and misses, and every order has ties."""
    users = [user for user in ("u1", "u2", "u3") if random.random() < 0.5]
    return {
        "project_id": random.choice(["p1", "p1", "p2"]),
        "environment_id": random.choice(["e1", "e1", "e2"]),
        "ended": random.random() < 0.3,
        "type": random.choice(["ephemeral", "persistent"]),
        "status": random.choice(["running", "failed", "deleting", "expired"]),
        "member_ids": random.choice([users, users * 2]),
        "created_at": moment(random.randrange(8)),
        "due_at": random.choice([None, moment(random.randrange(10))]),
        "number": random.randrange(8),
    }


def filled(store: Store) -> list[Document]:
    random = Random(7)
    refs = [
        Ref(collection, f"{random.randrange(1_000_000):06}")
        for collection in ("environments", "deployments", "projects")
        for _ in range(80)
    ]
    store.commit(*(Create(ref, made_up(random)) for ref in refs))
    return [document for document in store.get_many(refs) if document]


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "in": lambda found, values: found in values,
    "array_contains": operator.contains,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def meets(data: Mapping[str, Any], query: Query) -> bool:
    return all(
        data[field] is not None and COMPARISONS[op](data[field], value) for field, op, value in query.where
    )


def answer(documents: list[Document], query: Query) -> list[Document]:
    """The whole answer to a query, the plain way."""
    return sorted(
        (one for one in documents if one.ref.collection == query.collection and meets(one.data, query)),
        key=lambda one: (one.data[query.order.field], one.ref.id),
        reverse=query.order.descending,
    )

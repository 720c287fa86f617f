"""Removing documents for good: all of a deleted environment's, and deployments beyond the kept ones."""

from collections.abc import Set as AbstractSet

from shared import documents
from shared.changing import until_committed
from shared.domain.environment import Environment, EnvironmentType
from shared.ports import Delete, Filter, Order, Query, Ref
from shared.runtime import Runtime

PAGE = 100
MOST_PAGES = 10
"""How many pages one task deletes; another one goes on."""

KEPT_DEPLOYMENTS = 1_000
"""How many deployments a persistent environment keeps, the newest ones."""


def purge(runtime: Runtime, ref: Ref) -> bool:
    """Delete an environment's deployments in pages and itself last. False when there is more to do."""
    where = (Filter("environment_id", "==", ref.id),)
    query = Query("deployments", where, Order("number", descending=True), PAGE)
    for _ in range(MOST_PAGES):
        if _delete_page(runtime, ref, query):
            until_committed(f"Environment {ref.id}", lambda: _delete_one(runtime, ref))
            return True
    return False


def prune(runtime: Runtime, environment: Environment) -> None:
    """Delete a page of the deployments that are older than the ones a persistent environment keeps.

    Not those that wait or that one may want to go back to.
    """
    oldest_kept = environment.last_number - KEPT_DEPLOYMENTS + 1
    if environment.type != EnvironmentType.PERSISTENT or oldest_kept <= 1:
        return
    ref = documents.environment_ref(environment.id)
    wanted = {item.id for item in environment.unfinished} | {item.id for item in environment.live}
    where = (Filter("environment_id", "==", environment.id), Filter("number", "<=", oldest_kept - 1))
    _delete_page(
        runtime,
        ref,
        Query("deployments", where, Order("number"), PAGE),
        set(map(documents.deployment_ref, wanted)),
    )


def _delete_page(runtime: Runtime, ref: Ref, query: Query, kept: AbstractSet[Ref] = frozenset()) -> bool:
    """Delete what a query finds; whether that was all. A repeated task may be doing the same meanwhile."""

    def attempt() -> bool:
        page = runtime.store.find(query)
        doomed = [document for document in page.documents if document.ref not in kept]
        if doomed:
            runtime.store.commit(*(Delete(document.ref, document.version) for document in doomed))
        return page.next is None

    return until_committed(f"Environment {ref.id}", attempt)


def _delete_one(runtime: Runtime, ref: Ref) -> None:
    document = runtime.store.get(ref)
    if document is not None:
        runtime.store.commit(Delete(ref, document.version))

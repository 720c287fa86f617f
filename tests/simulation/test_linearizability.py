"""Eight clients at once on one environment: what they are answered could have come one after the other."""

import pytest

from tests.simulation.histories import CLIENTS, make_history
from tests.simulation.linearizability import is_linearizable
from tests.simulation.mutations import MUTATIONS

HISTORIES = 200


def test_every_history_is_linearizable() -> None:
    done = 0
    for seed in range(HISTORIES):
        history = make_history(seed)
        assert is_linearizable(history), (seed, history.operations)
        done += sum(one.reply is not None and one.reply.is_done for one in history.operations)
    assert done > HISTORIES * CLIENTS, "hardly anything was done"


@pytest.mark.parametrize("name", ["the version fence is removed", "what others committed is no time"])
def test_a_product_that_is_broken_on_purpose_is_found_out(name: str) -> None:
    with MUTATIONS[name]():
        assert not all(is_linearizable(make_history(seed)) for seed in range(HISTORIES))


def test_a_wrong_answer_is_found_out() -> None:
    history = make_history(1)
    for operation in history.operations:
        if operation.name == "deploy" and operation.reply is not None and operation.reply.is_done:
            operation.reply.body["number"] += 1
            break
    assert not is_linearizable(history)


def test_an_answer_that_was_true_before_it_was_asked_for_is_found_out() -> None:
    """Two reads that are not concurrent, exchanged."""
    for seed in range(HISTORIES):
        history = make_history(seed)
        reads = [one for one in history.operations if one.name == "read"]
        first, last = min(reads, key=lambda one: one.ended), max(reads, key=lambda one: one.began)
        assert first.reply is not None
        assert last.reply is not None
        if first.ended < last.began and first.reply.body["name"] != last.reply.body["name"]:
            first.reply, last.reply = last.reply, first.reply
            assert not is_linearizable(history)
            return
    pytest.fail("no history has such reads")


def test_a_seed_reproduces_a_history() -> None:
    assert make_history(5).operations == make_history(5).operations

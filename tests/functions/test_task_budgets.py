"""What carrying out what is due costs: calls to the store, documents, tasks. Exactly."""

from tests.functions.api import Api


def test_settling_reads_and_writes_what_it_settles(api: Api) -> None:
    environment_id = api.environment()
    for seconds, expected in ((2, ["get 1", "commit 1"]), (0, [])):
        api.advance(seconds)
        api.store.calls.clear()
        api.run_due()
        assert api.store.calls == expected
    api.deploy(environment_id)
    for more in (0.5, 2.5):
        api.advance(more)
        api.store.calls.clear()
        assert api.run_due() == ["settled"]
        assert api.store.calls == ["get 2", "commit 2"]


def test_a_stale_task_costs_one_read_and_an_early_one_too(api: Api) -> None:
    api.environment()
    [task] = api.drop_tasks()
    for seconds in (1, 1, 1):
        api.advance(seconds)
        api.store.calls.clear()
        api.deliver(task)
        expected = ["get 1", "commit 1"] if api.clock.now == task.at else ["get 1"]
        assert api.store.calls == expected


def test_one_preview_environment_with_three_deployments_costs_this_many_tasks(api: Api) -> None:
    environment_id = api.environment()
    api.live(2)
    for _ in range(3):
        api.deploy(environment_id)
        api.live(5)
    api.live(26 * 3_600)
    assert api.status(environment_id) == 404
    # Created, running; three times deployed, running; expired, deleting, deleted: each asks for the
    # wake-up that follows. A deployment's end doesn't: one for the expiry has been asked for.
    assert api.queue.enqueued == 1 + 1 + 3 * 2 + 3


def test_a_deployment_that_a_task_does_not_name_is_read_in_one_more_call(api: Api) -> None:
    environment_id = api.environment(None, {"name": "p", "type": "persistent"})
    api.live(2)
    for _ in range(3):
        api.deploy(environment_id)
    api.advance(0.5)
    api.store.calls.clear()
    assert api.run_due() == ["settled"]
    assert api.store.calls == ["get 2", "get 2", "commit 2"]


def test_a_task_whose_document_has_moved_on_costs_one_read_beside_unfinished_deployments(api: Api) -> None:
    environment_id = api.environment(None, {"name": "p", "type": "persistent"})
    api.live(2)
    for _ in range(3):
        api.deploy(environment_id)
    [task] = api.drop_tasks()
    api.advance(0.5)
    assert api.deliver(task)["outcome"] == "settled"
    api.store.calls.clear()
    assert api.deliver(task)["outcome"] == "stale"
    assert api.store.calls == ["get 2"]


def test_a_steady_stream_of_deployments_asks_for_a_wake_up_per_step_and_not_per_deployment(api: Api) -> None:
    environment_id = api.environment()
    api.live(2)
    enqueued = api.queue.enqueued
    for _ in range(100):
        api.deploy(environment_id)
        api.live(0.1)
    # In these 10 s one starts after 0.5 s, and at each 2.5 s it ends and the next one starts.
    assert api.queue.enqueued - enqueued <= 2 + 2 * 4

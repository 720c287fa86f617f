"""The sections of results.md: each makes its lines and verdicts of its raw figures."""

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.figures import (
    SINGLE,
    TITLES,
    Cell,
    Cells,
    PeerFigure,
    Verdict,
    about_peer,
    cells,
    peer,
    verdicts,
)

Section = tuple[list[str], list[Verdict]]


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(str(one) for one in line) + " |" for line in lines]


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _errors(errors: dict[str, int]) -> str:
    return ", ".join(f"{count} x {name}" for name, count in errors.items()) or "0"


def perf(found: dict[str, Any]) -> Section:
    """Requests per second and latencies."""
    measured = cells(found["rounds"])
    theirs = peer()
    rows = [
        _perf_row(place, cell, measured, theirs.get(place))
        for place, cell in measured.items()
        if place[1] <= 32
    ]
    head = ("operation", "clients", "requests/s", "p50 ms", "p99 ms", "x peer", "p99 / peer's", "x empty")
    memory = found["megabytes"]
    busiest = max(cell.generator_cpu for cell in measured.values())
    lines = [
        "## Requests per second and latency",
        "",
        f"The peer: {about_peer()}",
        "",
        (
            f"Medians over the rounds of {found['seconds']:g} s; what creates is measured {found['turns']} "
            "times in each, side by side. `x peer` and `x empty` compare "
            "requests/s with the peer's and with an empty function's under functions-framework with 8 "
            "threads, measured in the same run; that function is one process, as the framework starts "
            "it, the platform is as many as `ENVCTL_WORKERS` says. CPU is what all of the server's "
            "processes used per request, what they do after the answer included. Deployments go to "
            "running ephemeral environments in turn."
        ),
        "",
        *table((*head, "server CPU ms", "errors"), rows),
        "",
        (
            f"The generator used at most {busiest:.0%} of one core. The server's processes held "
            f"{memory['at_start']:.0f} MB at the start and {memory['after']:.0f} MB after the load "
            "(pages that processes share count for each)."
        ),
        "",
        "### Reads by more clients",
        "",
        *_crowds(measured),
    ]
    return lines, verdicts(measured)


def _crowds(measured: Cells) -> list[str]:
    rows = [
        (TITLES[name], clients, _number(cell.per_second), _number(cell.p99), _errors(dict(cell.errors)))
        for (name, clients), cell in measured.items()
        if clients > 32
    ]
    return table(("operation", "clients", "requests/s", "p99 ms", "errors"), rows)


def _perf_row(
    place: tuple[str, int], cell: Cell, measured: Cells, theirs: PeerFigure | None
) -> Sequence[object]:
    name, clients = place
    empty = measured.get(("empty", clients))
    share = cell.per_second / empty.per_second if empty and name in SINGLE else None
    return (
        TITLES[name],
        clients,
        _number(cell.per_second),
        _number(cell.p50),
        _number(cell.p99),
        _number(cell.per_second / theirs.per_second if theirs else None),
        _number(cell.p99 / theirs.p99 if theirs else None),
        _number(share),
        _number(cell.server_cpu_ms),
        _errors(dict(cell.errors)),
    )


def _spread(times: dict[str, Any]) -> str:
    return f"{_number(times['p50'])} / {_number(times['p99'])} / {_number(times['most'])}"


def burst(found: dict[str, Any]) -> Section:
    """500 environments at once."""
    rounds = found["rounds"]
    rows = [
        (
            one["created_in"],
            *(_spread(one[name]) for name in ("lateness", "stored_after", "me_before", "me_meanwhile")),
        )
        for one in rounds
    ]
    head = (
        "created in s",
        "seen running after the moment",
        "stored so after it",
        "GET /auth/me before",
        "meanwhile",
    )
    answers, stale, early = (sum(one[name] for one in rounds) for name in ("answers", "stale", "early"))
    lines = [
        f"## {rounds[0]['count']} environments at once",
        "",
        (
            "Created by 32 clients. Each is observed by a GET that is sent at the very moment at which its "
            "timeline plans it to run. Lateness is the arrival of the first answer that shows `running`, "
            "less that moment: the request's own way, and its turn among the others of the same moment, "
            "are part of it. Stored statuses are read from the SQLite file every 20 ms. GET /auth/me is "
            "sent every 10 ms beside all this. A row is a burst, on a server of its own; p50 / p99 / most "
            "in ms."
        ),
        "",
        *table(head, rows),
        "",
        (
            f"Of {answers:,} sightings {stale} were stale (asked after the moment, shown `provisioning`) "
            f"and {early} early."
        ),
    ]
    return lines, _burst_verdicts(rounds)


def _burst_verdicts(rounds: Sequence[dict[str, Any]]) -> list[Verdict]:
    count = rounds[0]["count"]
    everyone = all(one["running_seen"] == count and not one["stale"] + one["early"] for one in rounds)
    everything = all(one["stored"] == count for one in rounds)
    late, stored = ([one[name]["most"] for one in rounds] for name in ("lateness", "stored_after"))
    return [
        Verdict(
            f"{count} environments at once: all seen running within 50 ms of the planned moment",
            f"{'all' if everyone else 'not all'} seen, the last {_range(late)}",
            met=everyone and max(late) <= 50,
        ),
        Verdict(
            "... and stored so within 1 s of it",
            f"{'all' if everything else 'not all'} stored, the last {_range(stored)}",
            met=everything and max(stored) <= 1000,
        ),
    ]


def _range(milliseconds: Sequence[float]) -> str:
    least, most = _number(min(milliseconds)), _number(max(milliseconds))
    return f"{least} to {most} ms after it in {len(milliseconds)} bursts"


def followers(found: dict[str, Any]) -> Section:
    """Polling while others write."""
    rows = [
        (name, _spread(found[key]), len(found[key]["errors"]))
        for name, key in (("nobody writes", "alone"), ("others write", "while_others_write"))
    ]
    writes = found["writes"]
    return [
        f"## {found['followers']} clients that follow while others write",
        "",
        (
            f"Each polls its own environment every {found['poll_seconds']:g} s; {found['writers']} "
            f"others deploy to these environments in a closed loop ({_number(writes['per_second'])} "
            f"deployments/s, errors {_errors(writes['errors'])})."
        ),
        "",
        *table(("", "p50 / p99 / most of a poll, ms", "errors"), rows),
    ], []


def crash(found: dict[str, Any]) -> Section:
    """Kill -9 and what becomes of what was under way."""
    rounds = found["rounds"]
    count = rounds[0]["count"]
    rows = [
        (one["restart"], _errors(one["shown"]), one["shown_after"] or "never", one["stored_after"] or "never")
        for one in rounds
    ]
    good = sum(one["shown"].get("running") == count and one["stored_after"] is not None for one in rounds)
    return [
        f"## kill -9 half a second after {count} creates",
        "",
        (
            "Every process of the server is killed, and half a second later it is started again. Times "
            "in seconds, the last two from the first 200 on."
        ),
        "",
        *table(("restart to first 200", "shown at last", "all shown running", "all stored so"), rows),
    ], [
        Verdict(
            f"kill -9 after {count} creates, restart: {count} running, none stuck",
            f"in {good} of {len(rounds)} tries",
            met=good == len(rounds),
        )
    ]


def scale(found: dict[str, Any]) -> Section:
    """Pages of few and of many documents."""
    rows, ratios = [], []
    for name, each in found["queries"].items():
        ratios.append(each["many"]["p50"] / each["few"]["p50"])
        rows.append((name, _spread(each["few"]), _spread(each["many"]), f"{ratios[-1]:.2f}"))
    return [
        f"## A page of {found['page']} out of {found['many']:,}",
        "",
        (
            "Environments of one project, read through the store's adapter, turn by turn from a file of "
            f"{found['few']:,} documents and from one of {found['many']:,} ({found['megabytes']:,.0f} "
            f"MB, filled in {found['filled_in']:,.0f} s)."
        ),
        "",
        *table(
            (
                "query",
                f"of {found['few']:,}: p50 / p99 / most, ms",
                f"of {found['many']:,}",
                "ratio of medians",
            ),
            rows,
        ),
    ], [
        Verdict(
            f"A page out of {found['many']:,} documents costs what it costs out of {found['few']:,} "
            "(medians within 25 %)",
            f"at most {max(ratios):.2f} x",
            met=max(ratios) <= 1.25 and found["many"] >= 1_000_000,
        )
    ]


def login(found: dict[str, Any]) -> Section:
    """Whether a refused login tells if the address is known."""
    medians = found["medians"]
    return [
        "## Refused logins",
        "",
        (
            f"One client, turn by turn, {found['times']['unknown_user']['n']} times each: "
            f"{_number(medians['wrong_password'])} ms for a wrong password, "
            f"{_number(medians['unknown_user'])} ms for an unknown user (medians)."
        ),
    ], [
        Verdict(
            "Unknown user and wrong password take the same time (medians within 5 %)",
            f"{found['apart']:.1%} apart",
            met=found["apart"] <= 0.05 and set(found["outcomes"]) == {"401"},
        )
    ]

"""The closed loop: each client sends its next request when it has read the whole answer before."""

import asyncio
import math
import resource
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle
from typing import Any

from benchmarks.wire import Connection, Exchange, clock, opened

PATIENCE = 60.0
"""Seconds that the last answers may take after the time is up."""


@dataclass(frozen=True)
class Operation:
    """What is sent, over and over, and what must be answered."""

    name: str
    requests: Sequence[bytes]
    """Sent in turn."""
    expected: int = 200


@dataclass(frozen=True)
class Load:
    """What came of a closed loop. Latencies in milliseconds, of the successes."""

    clients: int
    succeeded: int
    errors: dict[str, int]
    """Every other answer by status, every failure by name."""
    per_second: float
    p50: float
    p99: float
    most: float
    generator_cpu: float
    """The share of one core that this process used meanwhile."""

    @property
    def data(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def percentile(values: Sequence[float], percent: float) -> float:
    """By nearest rank; NaN without values."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent * len(ordered) / 100) - 1)]


def milliseconds(seconds: float) -> float:
    """Rounded to microseconds."""
    return round(seconds * 1000, 3)


def distribution(seconds: Sequence[float]) -> dict[str, float | int]:
    """How long it took, in milliseconds."""
    return {
        "n": len(seconds),
        "p50": milliseconds(percentile(seconds, 50)),
        "p99": milliseconds(percentile(seconds, 99)),
        "most": milliseconds(max(seconds, default=math.nan)),
    }


def median(values: Sequence[float]) -> float:
    """The median, NaN without values."""
    return statistics.median(values) if values else math.nan


def own_cpu() -> float:
    """The seconds of CPU that this process has used."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class _Loop:
    """The clients of one measurement."""

    def __init__(self, port: int, operation: Operation, seconds: float) -> None:
        self._port = port
        self._requests: Iterator[bytes] = cycle(operation.requests)
        self._expected = operation.expected
        self._end = clock() + seconds
        self.latencies: list[float] = []
        self.errors: Counter[str] = Counter()

    async def client(self, connection: Connection | None) -> None:
        """Send until the time is up. A connection that was lost is opened anew."""
        while clock() < self._end:
            try:
                if connection is None or not connection.usable:
                    connection = await opened(self._port)
                stopped: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._send(connection, stopped)
                await stopped
            except OSError as fault:
                self.errors[type(fault).__name__] += 1
                await asyncio.sleep(0.05)
        if connection is not None:
            connection.close()

    def _send(self, connection: Connection, stopped: "asyncio.Future[None]") -> None:
        def done(exchange: Exchange) -> None:
            if exchange.status == self._expected:
                self.latencies.append(exchange.done - exchange.sent)
            else:
                self.errors[exchange.outcome] += 1
            if exchange.done < self._end and connection.usable:
                connection.send(next(self._requests), done)
            elif not stopped.done():
                stopped.set_result(None)

        connection.send(next(self._requests), done)


async def _warmed(port: int, raw: bytes) -> Connection | None:
    """A connection that has carried a request, which isn't counted."""
    try:
        connection = await opened(port)
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        connection.send(raw, lambda _: answered.set_result(None))
        await asyncio.wait_for(answered, PATIENCE)
    except OSError:
        return None
    return connection


async def closed_loop(port: int, operation: Operation, clients: int, seconds: float) -> Load:
    """Keep so many clients busy for so long."""
    raw = operation.requests
    connections = await asyncio.gather(*(_warmed(port, raw[n % len(raw)]) for n in range(clients)))
    began, cpu = clock(), own_cpu()
    loop = _Loop(port, operation, seconds)
    tasks = [asyncio.create_task(loop.client(connection)) for connection in connections]
    _, late = await asyncio.wait(tasks, timeout=seconds + PATIENCE)
    took, cpu = clock() - began, own_cpu() - cpu
    for task in late:
        task.cancel()
    if late:
        loop.errors["no answer"] += len(late)
    times = distribution(loop.latencies)
    return Load(
        clients=clients,
        succeeded=len(loop.latencies),
        errors=dict(loop.errors),
        per_second=round(len(loop.latencies) / took, 1),
        p50=times["p50"],
        p99=times["p99"],
        most=times["most"],
        generator_cpu=round(cpu / took, 3),
    )

"""A network between a store and Firestore's emulator that a test can spoil."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn

import grpc

SERVICE = "/google.firestore.v1.Firestore/"

Codes = grpc.StatusCode
UNKNOWN = [Codes.UNAVAILABLE, Codes.DEADLINE_EXCEEDED, Codes.INTERNAL, Codes.UNKNOWN, Codes.CANCELLED]
"""What says nothing about whether a commit was carried out."""

_OWNER = (("authorization", "Bearer owner"),)

Forward = Callable[[], Iterator[bytes]]
"""Hands the call to the emulator: the parts of its answer."""

Spoil = Callable[[Forward, grpc.ServicerContext], Iterator[bytes]]
"""What becomes of a call instead of being forwarded."""


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    seconds: float | None
    """Until its deadline."""
    metadata: dict[str, str | bytes]


@dataclass
class Proxy:
    host: str
    calls: list[Call] = field(default_factory=list)
    commits: list[Spoil] = field(default_factory=list)
    """Each is what becomes of one commit, the first of the first."""
    reads: list[Spoil] = field(default_factory=list)

    @property
    def methods(self) -> list[str]:
        return [call.method for call in self.calls]


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, proxy: Proxy, emulator: grpc.Channel) -> None:
        self._proxy = proxy
        self._emulator = emulator

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        method = handler_call_details.method
        name = method.removeprefix(SERVICE)

        def parts(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
            metadata = dict(context.invocation_metadata())
            self._proxy.calls.append(Call(name, context.time_remaining(), metadata))

            def forward() -> Iterator[bytes]:
                if name == "Commit":
                    yield self._emulator.unary_unary(method, bytes, bytes)(request, metadata=_OWNER)
                else:
                    yield from self._emulator.unary_stream(method, bytes, bytes)(request, metadata=_OWNER)

            spoils = self._proxy.commits if name == "Commit" else self._proxy.reads
            try:
                yield from spoils.pop(0)(forward, context) if spoils else forward()
            except grpc.RpcError as error:
                context.abort(error.code(), error.details() or "")

        def whole(request: bytes, context: grpc.ServicerContext) -> bytes:
            (part,) = parts(request, context)
            return part

        if name == "Commit":
            return grpc.unary_unary_rpc_method_handler(whole)
        return grpc.unary_stream_rpc_method_handler(parts)


@contextmanager
def proxy_to(emulator: str) -> Iterator[Proxy]:
    with grpc.insecure_channel(emulator) as channel:
        server = grpc.server(ThreadPoolExecutor(8))
        proxy = Proxy(f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}")
        server.add_generic_rpc_handlers((_Handler(proxy, channel),))
        server.start()
        yield proxy
        server.stop(None).wait()


# ways to spoil a call ----------------------------------------------------------------------------


def lost_before(code: Codes, *meanwhile: Callable[[], None]) -> Spoil:
    """It doesn't reach the server; then others act, then the client is told."""

    def spoil(_: Forward, context: grpc.ServicerContext) -> Iterator[bytes]:
        return _lost(code, context, *meanwhile)

    return spoil


def lost_after(code: Codes, *meanwhile: Callable[[], None]) -> Spoil:
    """The server does it, but the answer is lost."""

    def spoil(forward: Forward, context: grpc.ServicerContext) -> Iterator[bytes]:
        list(forward())
        return _lost(code, context, *meanwhile)

    return spoil


def lost_within(code: Codes) -> Spoil:
    """The answer breaks off after its first part."""

    def spoil(forward: Forward, context: grpc.ServicerContext) -> Iterator[bytes]:
        yield next(forward())
        _end(code, context)

    return spoil


def late(code: Codes) -> tuple[Spoil, Spoil]:
    """The client is told that it is lost; the server does it when the next one comes, before that."""
    held: list[Forward] = []

    def hold(forward: Forward, context: grpc.ServicerContext) -> Iterator[bytes]:
        held.append(forward)
        return _lost(code, context)

    def release(forward: Forward, _: grpc.ServicerContext) -> Iterator[bytes]:
        list(held.pop()())
        return forward()

    return hold, release


def _lost(code: Codes, context: grpc.ServicerContext, *meanwhile: Callable[[], None]) -> Iterator[bytes]:
    for act in meanwhile:
        act()
    _end(code, context)


def _end(code: Codes, context: grpc.ServicerContext) -> NoReturn:
    context.abort(code, "spoilt by the test")
    raise AssertionError

"""The process that a plugin lives in: `python -m angarium.gateway.isolation.child`.

Orders come on standard input, answers leave on what was standard output; the plugin itself finds
an empty input, and whatever it prints goes to standard error, which the parent logs.
"""

import asyncio
import faulthandler
import os
import resource
import signal
import threading
import time
import traceback
import typing
from collections.abc import Iterable
from importlib.metadata import EntryPoint

import msgspec
import uvloop

from angarium.gateway.isolation.serving import OUT_OF_MEMORY, QUIT, Server, end, end_all
from angarium.gateway.isolation.wire import (
    LENGTH,
    Described,
    Offer,
    Point,
    Ready,
    Said,
    Start,
    decode_order,
    frame,
)
from angarium.plugins.channel import BUILT_IN_CHANNELS, Channel
from angarium.plugins.provider import Listening, Provider, platforms_of
from angarium.plugins.registration import PluginBroken, Registration, read_plugin
from angarium.plugins.settings import Secret, SettingsInvalid, decode_settings

ORPHAN_SECONDS = 1.0
"""How often to look whether the parent is still there."""
SPARE_SECONDS = 2.0
"""Of work in which nobody could look, beyond what a loop may stand still."""


def main() -> None:
    """Do what the first frame says; the process does not outlive its parent."""
    orders, answers = _take_streams()
    start = _first(orders)
    _limit(start)
    threading.Thread(target=_watch, args=(start,), daemon=True).start()
    try:
        _work(start, orders, answers)
    except MemoryError:
        end(OUT_OF_MEMORY)
    except SystemExit:
        end(QUIT)
    except BaseException:
        traceback.print_exc()
        end(1)
    end(0)


def _work(start: Start, orders: int, answers: int) -> None:
    if start.task == "describe":
        _say(answers, _describe(start.point))
        return
    try:
        registration = _read(start.point)
        provider = _build(start, registration)
    except SettingsInvalid as invalid:
        _say(answers, Ready(mistakes=tuple(invalid.errors)))
        return
    except PluginBroken as broken:
        _say(answers, Ready(error=str(broken)))
        return
    if start.task == "check":
        _say(answers, Ready())
        return
    content = _content(start, registration, provider) if provider else None
    server = Server(start.point[1], provider, content, registration.listeners, answers)
    # Does not return. Nor is it closed when it fails: to its tasks that would be a cancellation.
    asyncio.Runner(loop_factory=uvloop.new_event_loop).run(server.run(orders))


def _take_streams() -> tuple[int, int]:
    """The files to read orders from and to write answers to, kept from whatever a plugin runs."""
    orders, answers = os.dup(0), os.dup(1)
    os.set_blocking(answers, True)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return orders, answers


def _first(orders: int) -> Start:
    size = int.from_bytes(_exactly(orders, LENGTH), "big")
    start = decode_order(_exactly(orders, size))
    if not isinstance(start, Start):
        raise TypeError("the first frame says what to load")
    return start


def _exactly(file: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = os.read(file, size - len(data))
        if not more:
            end(0)
        data += more
    return data


def _limit(start: Start) -> None:
    """What it may use: of memory, what it writes to, not the space that threads reserve."""
    for kind, most in (
        (resource.RLIMIT_DATA, start.memory_bytes),
        (resource.RLIMIT_NOFILE, start.files),
        (resource.RLIMIT_CORE, 0),  # a core file would hold the section's secrets
    ):
        hard = resource.getrlimit(kind)[1]
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (allowed, allowed))
    faulthandler.enable(file=2)
    faulthandler.register(signal.SIGUSR1, file=2, all_threads=False)


def _watch(start: Start) -> None:
    """A thread of its own: a loop that is blocked must not outlive the parent either.

    Nor one that keeps this thread from running as well: then the system ends it (SIGPROF), after
    so much work; not after so much time, in which all of us may have been stopped.
    """
    while os.getppid() == start.parent:
        signal.setitimer(signal.ITIMER_PROF, start.hang_seconds + SPARE_SECONDS)
        time.sleep(ORPHAN_SECONDS)
    end_all()


def _say(answers: int, said: Said) -> None:
    data = frame(said)
    while data:
        data = data[os.write(answers, data) :]


def _read(point: Point) -> Registration:
    name, value = point
    return read_plugin(EntryPoint(name, value, "angarium.plugins"))


def _describe(point: Point) -> Described:
    try:
        registration = _read(point)
        providers = [_offer(provider) for provider in registration.providers]
    except PluginBroken as broken:
        return Described(error=str(broken))
    inside = registration.channels or registration.filters or registration.gates
    return Described(tuple(providers), tuple(registration.listeners), bool(inside))


def _offer(provider: type[Provider]) -> Offer:
    try:
        fields = msgspec.structs.fields(provider.Settings)
    except TypeError:
        where = provider.__qualname__
        raise PluginBroken(f"{where}.Settings must be a msgspec struct, if an empty one") from None
    secrets = [field.encode_name for field in fields if _mentions(field.type, Secret)]
    listens = isinstance(provider, Listening)
    platforms = platforms_of(provider)
    return Offer(provider.name, provider.channel, tuple(secrets), listens, platforms)


def _mentions(annotation: object, wanted: type) -> bool:
    return annotation is wanted or any(
        _mentions(part, wanted) for part in typing.get_args(annotation)
    )


def _build(start: Start, registration: Registration) -> Provider | None:
    if not start.provider:
        return None
    where = start.where
    for kind in registration.providers:
        if kind.name == start.provider:
            settings = decode_settings(kind.Settings, start.section, where)
            try:
                return kind(settings)
            except ValueError as error:
                raise SettingsInvalid([(where, str(error))]) from error
            except Exception as error:
                raise PluginBroken(f"__init__ raised {type(error).__name__}") from error
    raise PluginBroken(f"it does not register {start.provider} any more")


def _content(start: Start, registration: Registration, provider: Provider) -> type[msgspec.Struct]:
    """What messages on the provider's channel hold."""
    for channel in _channels(start, registration):
        if channel.name == provider.channel:
            return channel.content
    raise PluginBroken(f"no plugin registers the channel {provider.channel}")


def _channels(start: Start, registration: Registration) -> Iterable[Channel]:
    yield from BUILT_IN_CHANNELS
    yield from registration.channels
    for point in start.channels:
        yield from _read(point).channels


if __name__ == "__main__":
    main()

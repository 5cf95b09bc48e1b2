"""The process of one model: load it, say so, and serve until the parent goes."""

from __future__ import annotations

import gc
import os
import threading
import traceback
from typing import TYPE_CHECKING

from corral.errors import LoadFailed
from corral.workers import Failure, Progress, Ready
from corral.workers.child import attach
from corral_llama_cpp.wire import REQUESTS, Load

if TYPE_CHECKING:
    from collections.abc import Callable

    from corral.workers.child import Channel
    from corral_llama_cpp.service import Service
    from corral_llama_cpp.wire import Request


def main(prepare: Callable[[], None] | None = None) -> None:
    """Serve the model that the parent names first; `prepare` is called before it is loaded and may raise LoadFailed."""
    channel: Channel[Request] = attach(REQUESTS)
    load = channel.receive()
    if not isinstance(load, Load):
        return
    # The imports load libllama, which reads the environment that the parent has chosen for it.
    from corral_llama_cpp.native.loading import load_model
    from corral_llama_cpp.service import Service

    try:
        if prepare is not None:
            prepare()
        loaded = load_model(load, lambda fraction: channel.send(Progress(fraction)), channel.beat)
    except LoadFailed as error:
        channel.send(Failure(str(error), out_of_memory=error.out_of_memory))
        return
    service = Service(loaded, channel.send)
    # What is here now stays: the collector shall not go over it between two steps.
    gc.freeze()
    channel.send(Ready(loaded.info))
    threading.Thread(target=_read, args=(channel, service), daemon=True).start()
    service.run()


def _read(channel: Channel[Request], service: Service) -> None:
    code = 1
    try:
        while (request := channel.receive()) is not None:
            service.take(request)
        code = 0
    finally:
        # The parent has gone, or a bug is on its way to stderr. A decode may be running on the other thread, and nothing
        # that is held needs an orderly end.
        if code:
            traceback.print_exc()
        os._exit(code)


if __name__ == "__main__":
    main()

"""The disposable child that looks at ggml's devices: `list`, or `prove BACKEND NAME PCI-ID` for one of them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from corral.errors import CorralError, Unsupported
from corral.workers.child import Channel, attach
from corral.workers.frames import Failure, Progress, Ready
from corral.workers.output import is_out_of_memory
from corral_llama_cpp.probe_ggml import Ggml, library_folder
from corral_llama_cpp.probe_wire import Listed, Listing

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> None:
    """Answer with Ready, whose info is a Listing or the proven device, or with Failure."""
    line: Channel[object] = attach(())
    line.send(Progress(0.0))
    try:
        line.send(Ready(_answer(arguments)))
    except (CorralError, OSError, AttributeError) as error:
        # AttributeError: a library without the symbols that are needed.
        line.send(Failure(str(error), is_out_of_memory(str(error))))


def _answer(arguments: Sequence[str]) -> Listing | Listed:
    ggml = Ggml(library_folder())
    match arguments:
        case ["list"]:
            return Listing(ggml.list_devices())
        case ["prove", backend, name, pci_id]:
            device = _choose(ggml.list_devices(), backend, name, pci_id)
            ggml.compute_on(device.name)
            return device
        case _:
            raise Unsupported(f"a probe can list or prove, not {' '.join(arguments)}")


def _choose(devices: Sequence[Listed], backend: str, name: str, pci_id: str) -> Listed:
    """Return the device meant: alone in its backend it may have another name than among all of them."""
    kin = [device for device in devices if device.backend == backend and (not pci_id or device.pci_id == pci_id)]
    if len(kin) == 1:
        return kin[0]
    for device in kin:
        if device.name == name:
            return device
    raise Unsupported(f"{name} is not seen any more when it is the only visible device")


if __name__ == "__main__":
    main(sys.argv[1:])

"""Which environment makes a child see some devices only, and what the user's own environment hides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.runners import Notice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from corral.devices import Device

#: Variables that choose devices, by backend; the first one that the user has set is the last filter its driver applies, and
#: the one that ordinals count in. Nothing set: the last one here is used. HIP obeys CUDA_VISIBLE_DEVICES too.
_SELECTORS: dict[str, tuple[str, ...]] = {
    "CUDA": ("CUDA_VISIBLE_DEVICES",),
    "ROCm": ("HIP_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"),
    "Vulkan": ("GGML_VK_VISIBLE_DEVICES",),
}

#: Further variables by which people change what a driver reports.
_OVERRIDES = ("HSA_OVERRIDE_GFX_VERSION",)


def selector(backend: str, environment: Mapping[str, str]) -> str | None:
    """Return the variable that chooses devices of a backend in that environment; None when there is none."""
    variables = _SELECTORS.get(backend)
    if variables is None:
        return None
    return next((variable for variable in variables if environment.get(variable)), variables[-1])


def show_only(backend: str, ordinal: int, environment: Mapping[str, str]) -> dict[str, str]:
    """Return what makes a child see one device, which is the `ordinal`-th that this environment lets through.

    With CUDA_VISIBLE_DEVICES=GPU-a,GPU-b, ordinal 1 is GPU-b. Empty for a backend that has no such variable.
    """
    variable = selector(backend, environment)
    if variable is None:
        return {}
    tokens = _tokens(environment.get(variable, ""))
    return {variable: tokens[ordinal] if ordinal < len(tokens) else str(ordinal)}


def hide_all() -> dict[str, str]:
    """Return what hides every device that can be hidden; -1 is no valid id anywhere."""
    return {variable: "-1" for variables in _SELECTORS.values() for variable in variables}


def hidden_by(device: Device, environment: Mapping[str, str]) -> str | None:
    """Return the user's variable that may keep a device from being seen, even an empty one; None when there is none."""
    variable = next((variable for variable in _SELECTORS.get(device.backend, ()) if variable in environment), None)
    # Chosen by name, so it is not the variable that hides it.
    is_chosen = variable is not None and device.uuid is not None and device.uuid in _tokens(environment[variable])
    return None if is_chosen else variable


def environment_for(devices: Sequence[Device]) -> dict[str, str]:
    """Return what a child needs to compute on these devices and to see no others, in their order.

    CUDA_VISIBLE_DEVICES is left out when devices of other backends are among them: HIP would obey it too.
    """
    variables: dict[str, list[str]] = {}
    mixed = len({device.backend for device in devices if device.visibility}) > 1
    for device in devices:
        for variable, value in device.visibility.items():
            if not (mixed and variable == "CUDA_VISIBLE_DEVICES"):
                variables.setdefault(variable, []).append(value)
    extra = {name: value for device in devices for name, value in device.environment.items()}
    return {**extra, **{variable: ",".join(values) for variable, values in variables.items()}}


def names_in_child(devices: Sequence[Device]) -> list[str]:
    """Return what a child that has this environment calls each device: it numbers those that it is shown from 0."""
    shown = environment_for(devices)
    counts: dict[str, int] = {}
    names = []
    for device in devices:
        is_renumbered = any(variable in shown for variable in device.visibility)
        number = counts.get(device.backend, 0)
        names.append(f"{device.name.rstrip('0123456789')}{number}" if is_renumbered else device.name)
        counts[device.backend] = number + 1
    return names


def notices(environment: Mapping[str, str]) -> list[Notice]:
    """Return a warning for each variable by which the user changes what drivers show; most missing GPUs are stale ones."""
    known = sorted({variable for variables in _SELECTORS.values() for variable in variables})
    names = [name for name in environment if name in known or name.startswith(_OVERRIDES)]
    return [
        Notice(
            code="device_override",
            message=f"{name}={environment[name]} changes which GPUs are seen, and how; unset it when a GPU is missing or misnamed",
        )
        for name in sorted(names)
    ]


def _tokens(value: str) -> list[str]:
    return [token.strip() for token in value.split(",") if token.strip()]

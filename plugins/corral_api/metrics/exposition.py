"""How figures look in Prometheus' text format."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from corral.api import RunningModel
    from corral.devices import Device

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(figures: Mapping[str, float]) -> str:
    """Return figures, each named `name` or `name{label="value"}`, grouped by name and typed by its ending."""
    lines: list[str] = []
    last = ""
    for series in sorted(figures, key=lambda series: (_family(series), series)):
        family = _family(series)
        if family != last:
            lines.append(f"# TYPE {family} {_kind(series)}")
            last = family
        lines.append(f"{series} {figures[series]:.17g}")
    return "\n".join(lines) + "\n"


def _family(series: str) -> str:
    name = series.partition("{")[0]
    for ending in ("_bucket", "_sum", "_count"):
        name = name.removesuffix(ending)
    return name


def _kind(series: str) -> str:
    name = series.partition("{")[0]
    if name.endswith(("_bucket", "_sum", "_count")):
        return "histogram"
    return "counter" if name.endswith("_total") else "gauge"


def model_figures(running: Iterable[RunningModel]) -> dict[str, float]:
    """Return what the loaded models take and do."""
    figures: dict[str, float] = {}
    for model in running:
        labels = _labels(model=model.model.name)
        figures[f"corral_model_bytes{labels}"] = model.total_bytes
        figures[f"corral_model_device_bytes{labels}"] = model.device_bytes
        figures[f"corral_model_context_tokens{labels}"] = model.context_tokens
        figures[f"corral_model_active_requests{labels}"] = model.active
    return figures


def device_figures(devices: Iterable[Device]) -> dict[str, float]:
    """Return the memory of devices, as far as anybody knows it."""
    figures: dict[str, float] = {}
    for device in devices:
        labels = _labels(backend=device.backend, device=device.name)
        for name, value in (("total", device.total_bytes), ("free", device.free_bytes)):
            if value is not None:
                figures[f"corral_device_{name}_bytes{labels}"] = value
    return figures


def _labels(**labels: str) -> str:
    escaped = (f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return "{" + ",".join(escaped) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")

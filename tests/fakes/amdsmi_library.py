"""Compile a made-up libamd_smi.so that fits the installed amdsmi."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from vendor import require_compiler

SOURCE = Path(__file__).with_name("amdsmi.c")
FIELDS = {"asic_info": ("market_name", "asic_serial", "target_graphics_version"), "driver_info": ("driver_version",)}


def compile_amdsmi(folder: Path) -> Path:
    """Compile the library in a folder and return the folder."""
    require_compiler()
    names = _wanted_names()
    own = set(re.findall(r"^int (amdsmi_\w+)\(", SOURCE.read_text(), re.MULTILINE))
    # First a library of stubs only, because amdsmi can't be asked for its structs without one.
    stubs = folder / "stubs"
    stubs.mkdir()
    _write_stubs(stubs / "stubs.h", names)
    _compile(stubs, [f"-include{stubs / 'stubs.h'}", "-xc", "/dev/null"])
    _write_stubs(folder / "stubs.h", names - own)
    _compile(folder, [*_offsets(stubs), f"-I{folder}", str(SOURCE)])
    return folder


def _wanted_names() -> set[str]:
    spec = find_spec("amdsmi")
    assert spec is not None
    assert spec.origin is not None
    wrapper = (Path(spec.origin).parent / "amdsmi_wrapper.py").read_text()
    return set(re.findall(r"_libraries\['libamd_smi\.so'\]\.(\w+)", wrapper))


def _write_stubs(path: Path, names: set[str]) -> None:
    path.write_text("".join(f"int {name}(void) {{ return 2; }}\n" for name in sorted(names)))


def _compile(folder: Path, arguments: list[str]) -> None:
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", str(folder / "libamd_smi.so"), *arguments], check=True)


def _offsets(stubs: Path) -> list[str]:
    pairs = [(struct, field) for struct, fields in FIELDS.items() for field in fields]
    lines = [f"print('-DOFFSET_{field}=%d' % w.struct_amdsmi_{struct}_t.{field}.offset)" for struct, field in pairs]
    script = "\n".join(["from amdsmi import amdsmi_wrapper as w", *lines])
    environment = {**os.environ, "LD_LIBRARY_PATH": str(stubs)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()

"""What must hold between the parts of a beamline file: names, references, chains, ports.

Works on the plain values of the file, so that it finds what it can even where single values are wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, cast


def cross_check(values: Mapping[str, Any]) -> list[str]:
    """Everything wrong between parts of the file; empty when all is well.

    Args:
        values: The file as plain dicts and lists.
    """
    motors = _tables(values, "motors")
    detectors = _tables(values, "detectors")
    by_name = {str(m.get("name")): m for m in motors}
    findings = _twice("motors", "name", motors) + _twice("detectors", "name", detectors)
    findings += _twice("motors", "pv", motors) + _twice("detectors", "pv", detectors)
    for i, motor in enumerate(motors):
        findings += _motor(f"motors[{i}]", motor, by_name)
    for i, detector in enumerate(detectors):
        stage = str(detector.get("stage", "."))
        findings += _axis(f"detectors[{i}].stage", stage, by_name)
        findings += _directions(f"detectors[{i}]", detector)
    findings += _endpoints(detectors, values)
    findings += _references(values, by_name)
    findings += _crystal(_table(_table(values, "sample"), "crystal"))
    return findings


def _tables(values: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    found: Any = values.get(key, [])
    if not isinstance(found, Iterable) or isinstance(found, (str, Mapping)):
        return []
    return [cast("dict[str, Any]", t) for t in cast("Iterable[Any]", found) if isinstance(t, dict)]


def _twice(where: str, key: str, tables: list[dict[str, Any]]) -> list[str]:
    counts = Counter(str(t[key]) for t in tables if t.get(key))
    return [
        f"{where}: {key} {value!r} is used {n} times; each needs its own"
        for value, n in counts.items()
        if n > 1
    ]


def _motor(where: str, motor: dict[str, Any], by_name: Mapping[str, dict[str, Any]]) -> list[str]:
    findings: list[str] = []
    if motor.get("kind") in ("rotation", "translation"):
        if not _length(motor.get("vector", (0.0, 0.0, 0.0))):
            findings.append(f"{where}.vector: an axis needs a direction that is not zero, such as [0, 0, 1]")
        findings += _axis(f"{where}.depends_on", str(motor.get("depends_on", ".")), by_name)
        findings += _cycle(f"{where}.depends_on", str(motor.get("name")), by_name)
    low, high, initial = (_number(motor.get(k, 0.0)) for k in ("low", "high", "initial"))
    if low > high:
        findings.append(f"{where}.low: {low} is above high, {high}")
    elif (low, high) != (0.0, 0.0) and not low <= initial <= high:
        findings.append(f"{where}.initial: {initial} is outside the limits {low} to {high}")
    return findings


def _axis(where: str, name: str, by_name: Mapping[str, dict[str, Any]]) -> list[str]:
    if name == ".":
        return []
    if name not in by_name:
        return [f"{where}: no motor {name!r}; right is '.' or one of {', '.join(by_name)}"]
    if by_name[name].get("kind") not in ("rotation", "translation"):
        return [f"{where}: motor {name!r} is no axis; a rotation or a translation is right"]
    return []


def _cycle(where: str, start: str, by_name: Mapping[str, dict[str, Any]]) -> list[str]:
    seen = [start]
    while (name := str(by_name.get(seen[-1], {}).get("depends_on", "."))) != ".":
        if name == start:
            return [f"{where}: runs in a circle: {' -> '.join([*seen, name])}; the chain must end in '.'"]
        if name in seen or name not in by_name:
            return []
        seen.append(name)
    return []


def _directions(where: str, detector: dict[str, Any]) -> list[str]:
    fast, slow = detector.get("fast", (-1.0, 0.0, 0.0)), detector.get("slow", (0.0, -1.0, 0.0))
    lengths = _length(fast), _length(slow)
    if not all(lengths):
        return [f"{where}: fast and slow need directions that are not zero"]
    cosine = sum(_number(a) * _number(b) for a, b in zip(fast, slow, strict=False)) / (
        lengths[0] * lengths[1]
    )
    if abs(cosine) > 1e-4:
        return [f"{where}.slow: not at a right angle to fast (cosine {cosine:.2g}); pixels are rectangular"]
    return []


def _endpoints(detectors: list[dict[str, Any]], values: Mapping[str, Any]) -> list[str]:
    ca: Any = values.get("ca", {})
    ca = cast("dict[str, Any]", ca) if isinstance(ca, dict) else {}
    uses = [
        (f"detectors[{i}].stream.endpoint", str(_table(d, "stream").get("endpoint", "tcp://127.0.0.1:31001")))
        for i, d in enumerate(detectors)
    ]
    uses.append(("ca.control", str(ca.get("control", "tcp://127.0.0.1:10004"))))
    ports = Counter(text for _, text in uses)
    findings = [
        f"{where}: {text} is used twice; each socket needs its own" for where, text in uses if ports[text] > 1
    ]
    if ca.get("sim_port", 5164) == ca.get("writer_port", 5166):
        findings.append("ca.writer_port: equals ca.sim_port; two CA servers on one port answer at random")
    return findings


def _references(values: Mapping[str, Any], by_name: Mapping[str, dict[str, Any]]) -> list[str]:
    findings: list[str] = []
    beam, sample = _table(values, "beam"), _table(values, "sample")
    energy, attenuator = str(beam.get("energy", "energy")), beam.get("attenuator")
    if by_name.get(energy, {}).get("kind") != "energy":
        findings.append(f"beam.energy: no motor {energy!r} of kind 'energy'; the photon energy needs one")
    if attenuator is not None and by_name.get(str(attenuator), {}).get("kind") != "attenuator":
        findings.append(f"beam.attenuator: no motor {attenuator!r} of kind 'attenuator'")
    if "depends_on" in sample:
        findings += _axis("sample.depends_on", str(sample["depends_on"]), by_name)
    for axis, motor in _table(values, "goniometer").items():
        if by_name.get(str(motor), {}).get("kind") != "rotation":
            findings.append(f"goniometer.{axis}: no motor {motor!r} of kind 'rotation'")
    return findings


def _crystal(crystal: dict[str, Any]) -> list[str]:
    # Imported here: most commands read a beamline file and need no numpy.
    from layouts.symmetry import space_group

    given: Any = crystal.get("cell")
    cell = [_number(v) for v in cast("list[Any]", given)] if isinstance(given, (list, tuple)) else []
    if len(cell) != 6 or not all(value > 0 for value in cell):
        return []  # pydantic says so
    try:
        group = space_group(str(crystal.get("space_group", "P 43 21 2")))
    except ValueError as error:
        return [f"sample.crystal.space_group: {error}"]
    if group.fits(cell):
        return []
    finding = f"sample.crystal.cell: {cell} is no lattice of {group.symbol} ({group.laue}); "
    finding += "its lengths and angles must be equal, or 90 or 120 degrees, where the space group says so"
    return [finding]


def _table(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    found: Any = values.get(key)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _length(vector: Any) -> float:
    try:
        return sum(float(v) ** 2 for v in vector) ** 0.5
    except (TypeError, ValueError):
        return 0.0


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0

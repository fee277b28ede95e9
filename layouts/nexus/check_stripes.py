"""Check of the rule by which workers took turns: that the frames are mapped as it says.

No reader would notice frames in the wrong order; here rule and mappings were made apart and must agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from layouts.nexus.check_frames import SHOWN, Frames, check_source
from layouts.nexus.findings import Finding, error
from layouts.nexus.outside import Facts, Outside
from layouts.nexus.tree import ExternalLink, Field, Group, find
from layouts.raw.mapping import Mapping
from layouts.raw.names import Stripe

_LINK = re.compile(r"raw_\d{6,}")
_REMEDY = "make the master again from the raw files"


def check_stripes(root: Group, frames: Frames, facts: Facts) -> Iterator[Finding]:
    """That each raw file opens, and that each of its rows is mapped to the place that is the rule's."""
    where = f"{frames.entry}/capture/stripes"
    group = find(root, where)
    if not isinstance(group, Group) or frames.virtual is None:
        return
    numbers = {name: _numbers(group, name) for name in Stripe}
    links = [
        (name, node)
        for name, node in sorted(group.members.items())
        if isinstance(node, ExternalLink) and _LINK.fullmatch(name)
    ]
    absent = [name.value for name, values in numbers.items() if not values]
    if absent or len(numbers[Stripe.RANK]) != len(links):
        few = f"has {len(links)} raw files and {len(numbers[Stripe.RANK])} ranks"
        what = f"lacks {', '.join(absent)}" if absent else few
        yield error(where, what, _REMEDY)
        return
    try:
        mapping = Mapping(
            rows_per_file=numbers[Stripe.IMAGES_PER_FILE][0],
            workers=numbers[Stripe.WORKERS][0],
            block=numbers[Stripe.FRAMES_PER_BLOCK][0],
        )
    except ValueError as problem:
        yield error(where, str(problem), _REMEDY)
        return
    begins: dict[str, tuple[int, int]] = {}
    for (name, link), rank in zip(links, numbers[Stripe.RANK], strict=True):
        fact = facts.get((link.file, link.path), Outside(error="not looked for"))
        yield from check_source(f"{where}/{name}", (link.file, link.path), fact)
        file, worker = divmod(int(name.rpartition("_")[2]) - 1, mapping.workers)
        if worker != rank:
            yield error(
                f"{where}/{Stripe.RANK}", f"{name} is of worker {rank}, by its number of {worker}", _REMEDY
            )
        begins[link.file] = worker, file * mapping.rows_per_file
    yield from _mapped(frames, mapping, begins)


def _mapped(frames: Frames, mapping: Mapping, begins: dict[str, tuple[int, int]]) -> Iterator[Finding]:
    for s in frames.virtual.stretches if frames.virtual is not None else ():
        if s.file not in begins:
            yield error(f"{frames.where}/data", f"maps {s.file}, which is no raw file of it", _REMEDY)
            continue
        worker, begin = begins[s.file]
        right = mapping.places(worker, begin + s.start, begin + s.stop)
        wrong = np.flatnonzero(s.places != right)
        if wrong.size:
            rows = ", ".join(str(s.start + row) for row in wrong[:SHOWN].tolist())
            yield error(
                f"{frames.where}/data", f"{s.file}: rows {rows} are not where the rule has them", _REMEDY
            )


def _numbers(group: Group, name: Stripe) -> list[int]:
    field = group.members.get(name.value)
    if not isinstance(field, Field) or field.value.dtype.kind not in "iu":
        return []
    return [int(value) for value in field.value.reshape(-1)]

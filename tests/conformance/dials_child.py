"""Run by DIALS' own Python, never imported: turns a reflection table into numpy columns."""

import sys

import numpy as np
from dials.array_family import flex  # pyright: ignore[reportMissingImports]


def columns(source, target):
    table = flex.reflection_table.from_file(source)
    count = len(table)

    def column(name, shape):
        if name not in table:
            return np.empty((0, *shape))
        values = table[name]
        if hasattr(values, "as_vec3_double"):
            values = values.as_vec3_double()
        return values.as_numpy_array() if hasattr(values, "as_numpy_array") else np.array(list(values))

    np.savez(
        target,
        hkl=column("miller_index", (3,)).reshape(-1, 3).astype(np.int64),
        calculated=column("xyzcal.px", (3,)).reshape(-1, 3),
        observed=column("xyzobs.px.value", (3,)).reshape(-1, 3),
        counts=column("intensity.sum.value", ()),
        flags=column("flags", ()).astype(np.int64) if "flags" in table else np.zeros(count, np.int64),
    )


if __name__ == "__main__":
    {"columns": columns}[sys.argv[1]](*sys.argv[2:])

"""Names of the files a client asks for: ``FileTemplate`` as C's printf reads it, and ``CreateDirectory``.

Mirrors areaDetector's NDFile records: the template is given path, name and number, in that order, and a
template that uses fewer of them is right ("%s%s.h5"). What C leaves undefined (a string as a number, more
conversions than there are arguments) is an error here that says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Final

_CONVERSION: Final = re.compile(
    r"%(?P<flags>[-+ #0']*)(?P<width>\*|\d+)?(?:\.(?P<precision>\*|\d*))?"
    r"(?:hh|h|ll|l|j|z|t|q)?(?P<kind>[a-zA-Z%]|$)"
)
_INTEGER: Final = "diuxXoc"
MAX_NAME: Final = 511
"""Characters of FullFileName_RBV, without the closing zero."""
_MAX_WIDTH: Final = 255
_MAX_NUMBERS: Final = 1_000_000


class FileNameError(ValueError):
    """A file name cannot be made: what is wrong, where, and what would be right."""


def with_slash(path: str) -> str:
    """The path as FilePath_RBV shows it: with one slash at its end, empty if it is empty."""
    return path if not path or path.endswith("/") else path + "/"


def full_name(template: str, path: str, name: str, number: int) -> str:
    """The name that template, path, file name and number make.

    Args:
        template: As printf reads it, such as "%s%s_%6.6d.h5".
        path: Directory; its closing slash is added where it lacks.
        name: File name without number and ending.
        number: FileNumber.

    Raises:
        FileNameError: The template is unusable, or the name empty, too long or without a file.
    """
    text = printf(template, (with_slash(path), name, number))
    if not text or text.endswith("/"):
        raise FileNameError(
            f"FileTemplate {template!r} with FileName {name!r} names no file; set FileName, "
            "or a template such as %s%s_%6.6d.h5"
        )
    if len(text.encode()) > MAX_NAME or len(PurePosixPath(text).name.encode()) > _MAX_WIDTH:
        raise FileNameError(
            f"the file name is too long ({len(text.encode())} bytes, of which the last part "
            f"{len(PurePosixPath(text).name.encode())}); {MAX_NAME} and {_MAX_WIDTH} are the most"
        )
    if any(ord(char) < 32 for char in text):
        raise FileNameError(f"the file name {text!r} has control characters; leave them out")
    return text


def printf(template: str, arguments: tuple[str | int, ...]) -> str:
    """What C's sprintf makes of a template.

    Args:
        template: Text with conversions; flags, width, precision, ``*`` and length modifiers as in C.
        arguments: Strings and integers, used in order; those left over are ignored.

    Raises:
        FileNameError: A conversion that is none, has no argument left, or has one of the other kind.
    """
    left = iter(enumerate(arguments, start=1))
    parts: list[str] = []
    end = 0
    for start in _percents(template):
        if start < end:
            continue
        match = _CONVERSION.match(template, start)
        if match is None:
            raise FileNameError(_broken(template, template[start:]))
        parts.append(template[end:start])
        parts.append(_convert(template, match, left))
        end = match.end()
    parts.append(template[end:])
    return "".join(parts)


def _percents(template: str) -> Iterator[int]:
    return (index for index, char in enumerate(template) if char == "%")


def _convert(template: str, match: re.Match[str], left: Iterator[tuple[int, str | int]]) -> str:
    kind = match["kind"]
    if match.group(0) == "%%":
        return "%"
    if kind != "s" and (not kind or kind not in _INTEGER):
        raise FileNameError(_broken(template, match.group(0)))
    flags = match["flags"].replace("'", "")
    width = _number(template, match, match["width"], left)
    precision = _number(template, match, match["precision"], left)
    if width is not None and width < 0:
        flags, width = flags + "-", -width
    if precision is not None and precision < 0:
        precision = None
    if max(width or 0, precision or 0) > _MAX_WIDTH:
        raise FileNameError(_broken(template, f"{match.group(0)} (more than {_MAX_WIDTH} characters)"))
    value = _argument(template, match, left, str if kind == "s" else int)
    if isinstance(value, str):
        text = value if precision is None else value[:precision]
    else:
        text = _integer(value, kind, flags, precision)
    return _padded(text, kind, flags, width or 0, exact=precision is not None)


def _number(
    template: str, match: re.Match[str], text: str | None, left: Iterator[tuple[int, str | int]]
) -> int | None:
    if text is None:
        return None
    if text == "*":
        return int(_argument(template, match, left, int))
    return int(text or "0")


def _argument(
    template: str, match: re.Match[str], left: Iterator[tuple[int, str | int]], wanted: type[str | int]
) -> str | int:
    index, value = next(left, (0, ""))
    if not index:
        raise FileNameError(
            f"FileTemplate {template!r}: nothing is left for {match.group(0)!r}; the arguments are path, "
            "name and number, as in %s%s_%6.6d.h5"
        )
    if not isinstance(value, wanted):
        noun = ("path", "name", "number")[min(index, 3) - 1]
        right = "%s" if isinstance(value, str) else "%d"
        raise FileNameError(
            f"FileTemplate {template!r}: argument {index} is the {noun}, which {match.group(0)!r} cannot "
            f"show; {right} can"
        )
    return value


def _integer(value: int, kind: str, flags: str, precision: int | None) -> str:
    if kind == "c":
        return chr(value & 0xFF)
    if kind in "di":
        digits = str(abs(value))
        sign = "-" if value < 0 else "+" if "+" in flags else " " if " " in flags else ""
        prefix = ""
    else:
        unsigned = value & 0xFFFFFFFF  # FileNumber is a C int
        digits = format(unsigned, {"u": "d"}.get(kind, kind))
        sign = ""
        prefix = "0" + kind if "#" in flags and kind in "xX" and unsigned else ""
        if "#" in flags and kind == "o" and not digits.startswith("0"):
            digits = digits.rjust(max(precision or 0, len(digits) + 1), "0")
    if precision is not None:
        digits = "" if precision == 0 and value == 0 else digits.rjust(precision, "0")
    return sign + prefix + digits


def _padded(text: str, kind: str, flags: str, width: int, *, exact: bool) -> str:
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags and kind in "diuxXo" and not exact:
        head = re.match(r"[-+ ]?(?:0[xX])?", text)
        cut = head.end() if head else 0
        return text[:cut] + text[cut:].rjust(width - cut, "0")
    return text.rjust(width)


def _broken(template: str, piece: str) -> str:
    return (
        f"FileTemplate {template!r}: {piece!r} is no conversion of printf that fits a path, a name or a "
        "number; %s, %d and their widths are, %% is a per cent sign"
    )


def first_free(number: int, taken: Callable[[int], bool]) -> int:
    """The first number from this one on that no file has."""
    for candidate in range(number, number + _MAX_NUMBERS):
        if not taken(candidate):
            return candidate
    raise FileNameError(f"{_MAX_NUMBERS} file numbers from {number} on are taken; set another FileName")


def directories_to_make(
    path: str, depth: int, exists: Callable[[PurePosixPath], bool]
) -> tuple[PurePosixPath, ...]:
    """Directories that ``CreateDirectory`` makes for a path, the uppermost first.

    Args:
        path: The directory wanted.
        depth: 0 makes none, -n at most the last n; +n asks that the first n exist, the root being one.
        exists: Whether there is a directory of that name.

    Raises:
        FileNameError: More are missing than the depth allows.
    """
    wanted = PurePosixPath(path)
    missing = [p for p in (wanted, *wanted.parents) if str(p) not in ("/", ".") and not exists(p)]
    missing.reverse()
    if not missing:
        return ()
    parts = len(wanted.parts)
    allowed = -depth if depth < 0 else 0 if depth == 0 else max(0, parts - depth)
    if len(missing) > allowed:
        noun = "directory is" if len(missing) == 1 else "directories are"
        raise FileNameError(
            f"FilePath {path!r}: {missing[0]} does not exist; {len(missing)} {noun} missing "
            f"and CreateDirectory {depth} makes {allowed}; make them, or set it to {-len(missing)}"
        )
    return tuple(missing)

"""The one error of the stream: bytes that are not what Dectris documents, or values that cannot be sent."""

from __future__ import annotations


class StreamError(ValueError):
    """A message that cannot be read or written.

    Attributes:
        what: What is wrong.
        where: Message part, key or byte.
        remedy: What would be right, or what to do.
    """

    def __init__(self, what: str, where: str, remedy: str) -> None:
        super().__init__(what, where, remedy)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.where}: {self.what}; {self.remedy}"

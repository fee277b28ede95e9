"""``NDAttributesFile`` and ``NDAttributesMacros`` of a set of records: understood at once, or refused."""

from __future__ import annotations

from typing import Final

from ioc.records import Severity
from ioc.server import Device
from layouts.attributes import AttributesError, NDAttributesStatus, load
from writer.attribute_sources import Feed, understood
from writer.disk import ask
from writer.orders import RefusedError

_SEVERITY: Final = {
    NDAttributesStatus.NOT_FOUND: Severity.MINOR,
    NDAttributesStatus.SYNTAX: Severity.MAJOR,
    NDAttributesStatus.MACROS: Severity.MAJOR,
}
"""As the record template has them."""


async def judge(device: Device, feed: Feed, *, file: str, macros: str) -> None:
    """Say in NDAttributesStatus whether what is asked for is understood.

    Args:
        device: The records.
        feed: What their parameters are.
        file: NDAttributesFile as it is to be.
        macros: NDAttributesMacros as they are to be.

    Raises:
        RefusedError: It is not, or the file system does not answer; says where and what would be right.
    """
    try:
        await ask(lambda: understood(load(file, macros), feed))
    except AttributesError as error:
        await device.post("NDAttributesStatus", error.status, severity=_SEVERITY[error.status])
        raise RefusedError(str(error)) from None
    await device.post("NDAttributesStatus", NDAttributesStatus.OK, severity=Severity.NONE)

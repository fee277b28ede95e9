"""``NDAttributesFile`` and ``NDAttributesMacros`` of a set of records: understood at once, or refused."""

from __future__ import annotations

from ioc.records import PutError
from ioc.server import Device
from layouts.attributes import AttributesError, NDAttributesStatus, load
from writer.attribute_sources import Feed, understood
from writer.disk import ask


async def judge(device: Device, feed: Feed, *, file: str, macros: str) -> None:
    """Say in NDAttributesStatus whether what is asked for is understood.

    Args:
        device: The records.
        feed: What their parameters are.
        file: NDAttributesFile as it is to be.
        macros: NDAttributesMacros as they are to be.

    Raises:
        PutError: It is not; says where and what would be right.
        RefusedError: The file system does not answer.
    """
    try:
        await ask(lambda: understood(load(file, macros), feed))
    except AttributesError as error:
        await device.post_changed({"NDAttributesStatus": error.status})
        raise PutError(str(error)) from None
    await device.post_changed({"NDAttributesStatus": NDAttributesStatus.OK})

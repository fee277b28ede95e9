"""What clients put to a camera: each record's rule, and what the readbacks say of it afterwards.

Mirrors ADEiger's writeInt32, writeFloat64 and writeOctet. A put that is refused leaves the readback, and says
why in StatusMessage_RBV until the next put that is taken.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ioc.menus import Acquire, Acquiring, DataSource, DisableEnable, NoYes
from ioc.records import PutError, PvClass
from layouts import attributes
from sim import cam_rules, cam_values
from sim.eiger import RefusedError
from sim.eiger_config import ConfigError
from sim.link import LinkError

if TYPE_CHECKING:
    from sim.camera import Camera

_AT_ARM = ("NumImages", "NumTriggers", "ImageMode")
"""Parameters that reach the detector when it is armed."""
_TOLD = {"PhotonEnergy": "Photon Energy", "ThresholdEnergy": "Threshold Energy", "Wavelength": "Wavelength"}
"""What the driver says while it sets them, as they take a real detector seconds."""


class Puts:
    """Takes the puts of one camera."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._device = camera.device
        self._reset: asyncio.Task[None] | None = None
        # The frame time follows the exposure until a client asks for a longer one.
        self._follows = True

    async def __call__(self, name: str, value: Any) -> None:
        """A client's put, when its value is visible.

        Raises:
            PutError: It is refused.
        """
        status = self._camera.status
        try:
            note = await self._obey(name, value)
        except (ConfigError, RefusedError, LinkError) as error:
            await status.note(str(error))
            raise PutError(f"{self._device.prefix}{name}: {error}") from None
        await (status.note(note) if note else status.settle())

    async def _obey(self, name: str, value: Any) -> str:
        """Do it; says what is to be told of it."""
        camera = self._camera
        match name:
            case "Acquire":
                await camera.acquire(begin=value == Acquire.ACQUIRE)
            case "AcquireBusy":
                await self._release(value)
            case "Initialize" | "Restart":
                await camera.initialize(name)
            case "Trigger":
                await self._trigger()
            case "ArrayCounter":
                await camera.view.count_from(int(value))
            case "ReadStatus":
                await camera.view.read_climate()
                await self._device.post(name, "Done")
            case "ShutterControl":
                await camera.shutter.move(to_open=value == "Open")
            case "PoolPollStats" | "EmptyFreeList" | "PreAllocBuffers":
                await self._pool(name)
            case "HVReset":
                await self._reset_high_voltage(begin=value == "Reset")
            case "NDAttributesFile" | "NDAttributesMacros":
                return await self._attributes()
            case "FilePath":
                await self._file_path(str(value))
            case _:
                return await self._parameter(name, value)
        return ""

    # --- values ---------------------------------------------------------------------------------------------

    async def _parameter(self, name: str, value: Any) -> str:
        camera, device = self._camera, self._device
        if device.records[name].pv_class is PvClass.ECHOES:
            return ""
        value, note = cam_rules.taken(name, value, camera.eiger.config, camera.detector)
        found = cam_values.setting(name, value)
        if found is None and name not in (*_AT_ARM, "TriggerMode"):
            await device.settle(name, value)
            await self._after(name, value)
            return note
        if cam_rules.is_left_out(name, value, camera.eiger.config, device.__getitem__):
            return note
        async with camera.changing():
            if name in _TOLD:
                await camera.status.say(f"Setting {_TOLD[name]}...")
            if found is not None:
                self._configure(name, *found)
            else:
                await self._at_arm(name, value)
        if name in _TOLD:
            await camera.status.say(f"{_TOLD[name]} set")
        return note

    def _configure(self, pv: str, name: str, value: Any) -> None:
        camera = self._camera
        if pv == "AcquireTime" and camera.takes_exposures:
            camera.view.exposure = float(
                value
            )  # of the triggers to come; the series keeps what it was armed with
            return
        if pv == "AcquirePeriod":
            # 0 is the usual way to say: as short as it gets, whatever the exposure becomes.
            self._follows = value == 0
            value = value or self._shortest()
        camera.configure(name, value)
        if (pv == "AcquireTime" and self._follows) or pv == "ROIMode":
            camera.configure("frame_time", self._shortest())
        # A setpoint keeps what the client wrote, but for those that follow; readbacks say what became of it.

    async def _at_arm(self, name: str, value: Any) -> None:
        if name == "TriggerMode":
            self._camera.configure("trigger_mode", cam_values.MODES[value])
            if cam_values.MODES[value].is_enable:  # the driver tells the detector so at once, and leaves it
                await self._device.post_changed({"NumImages_RBV": 1})
            await self._device.settle(name, value)
        elif name == "ImageMode":
            await self._device.settle(name, value)
        else:
            await self._device.post_changed({f"{name}_RBV": value})

    async def _after(self, name: str, value: Any) -> None:
        """What follows from records that are no values of the detector."""
        if name == "DataSource" and value == DataSource.STREAM:
            # The driver disables and enables the stream anew.
            for enabled in (DisableEnable.DISABLE, DisableEnable.ENABLE):
                self._camera.configure("stream_enabled", enabled == DisableEnable.ENABLE)
                await self._device.post("StreamEnable_RBV", enabled)
        if name in ("FWEnable", "MonitorEnable", "DataSource"):
            await self._camera.view.modules(self._camera.eiger)

    def _shortest(self) -> float:
        config = self._camera.eiger.config
        return max(config.count_time + config.readout_time, config.frame_time_min)

    # --- actions --------------------------------------------------------------------------------------------

    async def _release(self, value: Any) -> None:
        camera = self._camera
        if value == Acquiring.DONE:
            camera.plugins.release()
        if camera.view.busy != (value == Acquiring.ACQUIRING):
            await self._device.post(
                "AcquireBusy", Acquiring.ACQUIRING if camera.view.busy else Acquiring.DONE
            )

    async def _trigger(self) -> None:
        camera = self._camera
        if not camera.is_manual:
            raise RefusedError("a trigger by hand needs ManualTrigger; enable it before Acquire")
        await camera.trigger()

    async def _pool(self, name: str) -> None:
        plugins = self._camera.plugins
        if name == "EmptyFreeList":
            plugins.pool = plugins.pool.emptied()
        elif name == "PreAllocBuffers":
            plugins.pool = plugins.pool.with_at_least(int(self._device["NumPreAllocBuffers"]))
        await self._camera.view.pool(plugins.pool)
        await self._device.post(name, "Done")

    async def _reset_high_voltage(self, *, begin: bool) -> None:
        if begin and (self._reset is None or self._reset.done()):
            self._reset = asyncio.create_task(self._ramp(), name="high voltage")
        elif not begin and self._reset is not None and not self._reset.done():
            await self._device.post("HVReset", "Reset")  # it ends when its time is over

    async def _ramp(self) -> None:
        low, high = cam_rules.RESET_TIME
        await self._device.post("HVState_RBV", "RAMPING")
        await asyncio.sleep(min(max(int(self._device["HVResetTime"]), low), high))
        await self._device.post("HVState_RBV", "READY")
        await self._device.post("HVReset", "Done")

    async def _attributes(self) -> str:
        """Say whether the attributes are understood; the writer reads them itself."""
        text, macros = str(self._device["NDAttributesFile"]), str(self._device["NDAttributesMacros"])
        try:
            await asyncio.to_thread(attributes.load, text, macros)
        except attributes.AttributesError as error:
            await self._device.post("NDAttributesStatus", error.status)
            return str(error)
        await self._device.post_changed({"NDAttributesStatus": attributes.NDAttributesStatus.OK})
        return ""

    async def _file_path(self, value: str) -> None:
        """Where the driver would put files that it fetched: the readback ends in a slash."""
        path = value if not value or value.endswith("/") else f"{value}/"
        exists = bool(value) and await asyncio.to_thread(_is_directory, value)
        await self._device.post_changed({"FilePath_RBV": path})
        await self._device.post_changed({"FilePathExists_RBV": NoYes.YES if exists else NoYes.NO})

    async def close(self) -> None:
        """End what goes on."""
        if self._reset is not None:
            self._reset.cancel()
            await asyncio.wait([self._reset], timeout=0.2)


def _is_directory(path: str) -> bool:
    try:
        return Path(path).is_dir()
    except OSError:
        return False  # a name that no file system takes

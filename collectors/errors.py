"""What can go wrong between us and a device."""

from inventory.errors import CuntongError


class DeviceError(CuntongError):
    """Expected in the field: record it and go on with the others."""


class DecodeError(DeviceError):
    """Bytes that are not the message they should be. The only error that the codec raises."""


class SilentDeviceError(DeviceError):
    """No reply at all."""


class RefusedError(DeviceError):
    """The device answered, and said why it will not. ``report`` is the name of the counter that it reported."""

    def __init__(self, report: str, text: str) -> None:
        super().__init__(f"{text} ({report})")
        self.report = report

"""A device for Addax that was made elsewhere; the entry point leads here."""

from pathlib import Path


def library() -> Path:
    """Where the plug-in lies."""
    return Path(__file__).parent / "custom_device.so"

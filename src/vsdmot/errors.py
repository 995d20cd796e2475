"""Errors that a user can cause and can fix.

The command line prints their one line without a traceback and exits with code 2. Anything else that
escapes is a defect of ours: traceback, exit code 1.
"""


class VsdmotError(Exception):
    """Base class: the message says where, what was expected, what was found and what to do."""


class SourceError(VsdmotError):
    """A video, image, folder, camera or stream that cannot be read."""


class FormatError(VsdmotError):
    """A text or JSON file whose contents are not what its format asks for."""


class ConfigError(VsdmotError):
    """Settings that are unknown, of the wrong type, out of range or in conflict."""


class CheckpointError(VsdmotError):
    """Weights that are missing, unreadable, unsafe or of another architecture."""


class OutputError(VsdmotError):
    """A result that cannot be written: the file exists, the folder is missing, the disk is full."""


class DeviceError(VsdmotError):
    """A compute device that was asked for and is not there."""


class TrainingError(VsdmotError):
    """Training that cannot go on: a loss that is not finite, a clip without what the training needs."""

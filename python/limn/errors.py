"""What goes wrong. Each is also the built-in exception that Python programs expect."""


class Error(Exception):
    """The base of all errors of limn: its message names the thing, the cause and the next step."""


class UsageError(Error, ValueError):
    """An invalid setting, recipe or picture."""


class FileError(Error, OSError):
    """A file that cannot be read, understood or written."""


class ResourceError(Error, MemoryError):
    """A picture or file larger than allowed, or than memory holds."""


for _class in (Error, UsageError, FileError, ResourceError):
    _class.__module__ = "limn"

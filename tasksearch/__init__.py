"""Which English intermediate tasks, in which mix, help zero-shot transfer to each low-resource language."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("tasksearch")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0+unknown"

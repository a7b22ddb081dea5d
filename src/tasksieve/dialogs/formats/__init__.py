"""Dialog files, one module a format; a file put here is found by itself."""

import importlib
import pkgutil

from tasksieve.dialogs.formats.archive import archive_files
from tasksieve.dialogs.formats.babi import read_babi, read_sentences, write_babi
from tasksieve.dialogs.formats.babi_files import dialog_file, find_splits
from tasksieve.dialogs.formats.chosen import format_at, iterate_dialogs, read_dialogs
from tasksieve.dialogs.formats.format import FORMATS, Format, Start, register
from tasksieve.dialogs.formats.known import format_named, format_of

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = [
    "FORMATS",
    "Format",
    "Start",
    "archive_files",
    "dialog_file",
    "find_splits",
    "format_at",
    "format_named",
    "format_of",
    "iterate_dialogs",
    "read_babi",
    "read_dialogs",
    "read_sentences",
    "register",
    "write_babi",
]

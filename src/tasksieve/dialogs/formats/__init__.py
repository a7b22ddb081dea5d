"""Dialog files, one module a format."""

from tasksieve.dialogs.formats.babi import read_babi, read_sentences, write_babi
from tasksieve.dialogs.formats.babi_files import dialog_file, find_splits, read_dialogs
from tasksieve.dialogs.formats.known import FORMATS, format_named, format_of, iterate_dialogs

__all__ = [
    "FORMATS",
    "dialog_file",
    "find_splits",
    "format_named",
    "format_of",
    "iterate_dialogs",
    "read_babi",
    "read_dialogs",
    "read_sentences",
    "write_babi",
]

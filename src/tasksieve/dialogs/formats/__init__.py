"""Dialog files, one module a format."""

from tasksieve.dialogs.formats.babi import read_babi, read_sentences, write_babi
from tasksieve.dialogs.formats.babi_files import dialog_file, find_splits, read_dialogs

__all__ = ["dialog_file", "find_splits", "read_babi", "read_dialogs", "read_sentences", "write_babi"]

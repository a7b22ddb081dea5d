"""The registered methods at the end of a command's help, found when the help is printed and not before."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from tasksieve.cli.help_text import Wrapped
from tasksieve.cli.messages import output


class ListsMethods(Wrapped):
    """A command whose help ends with every method's name and summary, those of plug-ins among them."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help, then the methods."""
        from tasksieve.training.methods import all_methods

        super().format_help(ctx, formatter)
        table = Table(show_header=False, box=None, padding=(0, 1), title="Methods", title_justify="left")
        for name, method in all_methods().items():
            table.add_row(Text(name, style="bold"), Text(method.summary))
        output().print(table)

"""Files of others, read by transformers in silence: no bars, no warnings, and one sentence for what goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tasksieve.errors import UserError


@contextmanager
def in_silence(refused: Callable[[Exception], UserError]) -> Iterator[None]:
    """Let transformers read files and say nothing meanwhile; afterwards it says what it said before.

    Args:
        refused: what to raise in place of an error, as :func:`reason_of` tells it.
    Raises: UserError: for whatever a library raises, as the files of others may hold anything.
    """
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # a library reads files of others
        raise refused(error) from None
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def reason_of(error: Exception) -> str:
    """The first line of what an error says, or its kind."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)

"""A fact as a run's dialogs have them, to show a user how one is told."""

from __future__ import annotations

import json

from tasksieve.dialogs.record import KNOWLEDGE_BASE
from tasksieve.training.runs.encoding import Encoding

_FIELDS = 3
_VALUE = "…"


def fact_example(encoding: Encoding) -> str:
    """A line that tells a fact of a run's kind, without anybody's values: ``get_member {"name": "…"}``.

    It is a record of the kind whose fields give names, or of the fields that responses have gaps for, or a triple of
    a knowledge base where the run's dialogs have those.

    Args:
        encoding: of the run.
    """
    names, slots = encoding.reader.names, encoding.reader.slots
    fields: dict[str, dict[str, None]] = {}
    if names is not None:
        pairs = [(kind, path) for kind, paths in names.fields.items() for path in paths]
        for kind, path in (*pairs, *((kind, path) for kind, path, _ in names.refused)):
            fields.setdefault(kind, {})[path] = None
    relation = next((word for word in sorted(encoding.vocabulary.words) if word.startswith("r_")), None)
    if next(iter(fields), KNOWLEDGE_BASE) == KNOWLEDGE_BASE and relation is not None:
        return f"NAME R_{relation[2:]} VALUE"
    kind, paths = next(((kind, list(of)) for kind, of in fields.items() if kind != KNOWLEDGE_BASE), ("TOOL", []))
    paths = paths or ([] if slots is None else sorted(name for name in slots.kinds if "." not in name))
    return f"{kind} {json.dumps(dict.fromkeys(paths[:_FIELDS] or ['FIELD'], _VALUE), ensure_ascii=False)}"

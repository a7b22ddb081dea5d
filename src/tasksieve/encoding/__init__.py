"""Dialogs as tensors: vocabulary, sentence table, candidates, batches."""

from tasksieve.contracts import ExampleBatch, Examples
from tasksieve.encoding.batch import Batch
from tasksieve.encoding.candidates import Candidates, responses_of, templates
from tasksieve.encoding.choices import ChoiceRows, Choices
from tasksieve.encoding.encoded_task import Coverage, EncodedTask
from tasksieve.encoding.entities import KnownEntities, has_gap, naming_relations
from tasksieve.encoding.examples import chunks, in_order
from tasksieve.encoding.memories import MemoryLines, memory_due
from tasksieve.encoding.sampling import BatchSampler, derived_generator
from tasksieve.encoding.sentences import SentenceTable
from tasksieve.encoding.vocabulary import Vocabulary

__all__ = [
    "Batch",
    "BatchSampler",
    "Candidates",
    "ChoiceRows",
    "Choices",
    "Coverage",
    "EncodedTask",
    "ExampleBatch",
    "Examples",
    "KnownEntities",
    "MemoryLines",
    "SentenceTable",
    "Vocabulary",
    "chunks",
    "derived_generator",
    "has_gap",
    "in_order",
    "memory_due",
    "naming_relations",
    "responses_of",
    "templates",
]

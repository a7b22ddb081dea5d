"""Dialogs as tensors: vocabulary, sentence table, candidates, batches."""

from tasksieve.encoding.batch import Batch
from tasksieve.encoding.candidates import Candidates, responses_of
from tasksieve.encoding.examples import ExampleBatch, Examples, chunks, in_order
from tasksieve.encoding.sampling import BatchSampler, derived_generator
from tasksieve.encoding.sentences import SentenceTable
from tasksieve.encoding.task import Coverage, EncodedTask
from tasksieve.encoding.vocabulary import Vocabulary

__all__ = [
    "Batch",
    "BatchSampler",
    "Candidates",
    "Coverage",
    "EncodedTask",
    "ExampleBatch",
    "Examples",
    "SentenceTable",
    "Vocabulary",
    "chunks",
    "derived_generator",
    "in_order",
    "responses_of",
]

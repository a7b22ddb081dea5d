"""Dialogs as tensors: vocabulary, sentence table, candidates, batches."""

from tasksieve.contracts import ExampleBatch, Examples
from tasksieve.encoding.batch import Batch
from tasksieve.encoding.candidates import Candidates, has_gap, responses_of
from tasksieve.encoding.choices import ChoiceRows, Choices
from tasksieve.encoding.encoded_task import Coverage, EncodedTask, Example
from tasksieve.encoding.entities import KnownEntities
from tasksieve.encoding.examples import chunks, in_order
from tasksieve.encoding.fillable import fillable
from tasksieve.encoding.held import Held
from tasksieve.encoding.kinds import action_of, kind_of
from tasksieve.encoding.names import Names, names_of
from tasksieve.encoding.phrases import Phrase, bag_of, words_of
from tasksieve.encoding.prediction import Prediction, annotated_turns, suited
from tasksieve.encoding.reading import Line, Reader, Reading, ReadTurn
from tasksieve.encoding.sampling import BatchSampler, derived_generator
from tasksieve.encoding.sentences import SentenceTable
from tasksieve.encoding.slot_evidence import slots_of
from tasksieve.encoding.slots import Slots
from tasksieve.encoding.sources import Gapped
from tasksieve.encoding.vocabulary import Vocabulary

__all__ = [
    "Batch",
    "BatchSampler",
    "Candidates",
    "ChoiceRows",
    "Choices",
    "Coverage",
    "EncodedTask",
    "Example",
    "ExampleBatch",
    "Examples",
    "Gapped",
    "Held",
    "KnownEntities",
    "Line",
    "Names",
    "Phrase",
    "Prediction",
    "ReadTurn",
    "Reader",
    "Reading",
    "SentenceTable",
    "Slots",
    "Vocabulary",
    "action_of",
    "annotated_turns",
    "bag_of",
    "chunks",
    "derived_generator",
    "fillable",
    "has_gap",
    "in_order",
    "kind_of",
    "names_of",
    "responses_of",
    "slots_of",
    "suited",
    "words_of",
]

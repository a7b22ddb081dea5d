"""Sentences: as bags of words, and as dense vectors of a pretrained encoder."""

from tasksieve.encoding.sentences.bag_of_words import SentenceTable
from tasksieve.encoding.sentences.cache import CachedEncoder
from tasksieve.encoding.sentences.pretrained import Encoder
from tasksieve.encoding.sentences.texts import Embed, dense, plain, text_of_entity, text_of_line

__all__ = ["CachedEncoder", "Embed", "Encoder", "SentenceTable", "dense", "plain", "text_of_entity", "text_of_line"]

"""Public data sets: where they lie, what they must be, and how to get them whole or not at all. Knows no content."""

from tasksieve.fetch.data_sets import DATA_SETS, MNIST, DataSet, PublishedFile, data_set_named
from tasksieve.fetch.mirrors import fetch_data_set

__all__ = ["DATA_SETS", "MNIST", "DataSet", "PublishedFile", "data_set_named", "fetch_data_set"]

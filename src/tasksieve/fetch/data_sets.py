"""The data sets that can be fetched: names, sizes, SHA-256 and mirrors of their files."""

from __future__ import annotations

from dataclasses import dataclass

from tasksieve.errors import UserError


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file as it was published.

    Args:
        name: its name, on every mirror and on disk.
        size: in bytes.
        sha256: of the file itself, in hexadecimal.
        unpacked_sha256: of what a gzipped file holds; packed anew, a file has another ``sha256`` but still this one.
    """

    name: str
    size: int
    sha256: str
    unpacked_sha256: str


@dataclass(frozen=True, slots=True)
class DataSet:
    """Files that belong together, and the addresses under which they lie, in the order to try them."""

    name: str
    files: tuple[PublishedFile, ...]
    mirrors: tuple[str, ...]


MNIST = DataSet(
    "mnist",
    (
        PublishedFile(
            "train-images-idx3-ubyte.gz",
            9_912_422,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        ),
        PublishedFile(
            "train-labels-idx1-ubyte.gz",
            28_881,
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
        PublishedFile(
            "t10k-images-idx3-ubyte.gz",
            1_648_877,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        ),
        PublishedFile(
            "t10k-labels-idx1-ubyte.gz",
            4_542,
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ),
    (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://raw.githubusercontent.com/fgnt/mnist/master/",
        "http://yann.lecun.com/exdb/mnist/",
    ),
)
"""The archives of 1996 and 1998, byte for byte. The first home of the data comes last: it often answers 403."""

DATA_SETS = {data_set.name: data_set for data_set in (MNIST,)}


def data_set_named(name: str) -> DataSet:
    """The data set of that name.

    Raises: UserError: if there is none; the message lists the known ones.
    """
    if name == "sgd" and name not in DATA_SETS:
        raise UserError(
            "the Schema-Guided dialogs cannot be fetched yet, as no SHA-256 of the published files is known; clone "
            "google-research-datasets/dstc8-schema-guided-dialogue and run `tasksieve data sgd CLONE/train --out sgd`"
        )
    if name not in DATA_SETS:
        raise UserError(f"unknown data set '{name}'; known: {', '.join(DATA_SETS)}")
    return DATA_SETS[name]

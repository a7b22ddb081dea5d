"""Images as examples: the MNIST files, scikit-learn's digits, and related tasks with wrong labels."""

from tasksieve.images.image_task import ImageBatch, ImageTask, corrupt
from tasksieve.images.read import Digits, embedded_digits, read_mnist

__all__ = ["Digits", "ImageBatch", "ImageTask", "corrupt", "embedded_digits", "read_mnist"]

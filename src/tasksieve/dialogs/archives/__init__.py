"""Archives as they often are: services whose policy has changed since, and services with wrong responses."""

from tasksieve.dialogs.archives.mislabelled import mislabelled
from tasksieve.dialogs.archives.noisy import noisy
from tasksieve.dialogs.archives.services import ARCHIVES, Archive, spoiled_services
from tasksieve.dialogs.archives.stale import stale

__all__ = ["ARCHIVES", "Archive", "mislabelled", "noisy", "spoiled_services", "stale"]

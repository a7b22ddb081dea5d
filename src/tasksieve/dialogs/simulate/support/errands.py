"""All errands, by service."""

from __future__ import annotations

from tasksieve.dialogs.simulate.support.contract_errands import CONTRACT_ERRANDS
from tasksieve.dialogs.simulate.support.supply_errands import SUPPLY_ERRANDS

SERVICES = CONTRACT_ERRANDS | SUPPLY_ERRANDS
"""The errands of each service. A new service comes last, or the customers of all others change."""

"""What the answers of tools tell: how agents call it, and how users ask for it."""

from __future__ import annotations

FIELDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "amount": (
        "the amount|the total|the sum",
        ("how much [is it|was it] [exactly|in total|]?", "what's the amount?"),
    ),
    "previous_amount": (
        "the amount before|the bill before this one|the previous amount",
        ("what was it [before|the month before]?", "how much did I pay [before|last time]?"),
    ),
    "usage": (
        "the usage|the metered usage|your usage in that time",
        ("how much did I use?", "what's the usage [on it|]?"),
    ),
    "due_date": (
        "the due date|the payment date|the day it is due",
        ("when [is it due|do I have to pay|will it be collected]?", "what's the due date?", "until when can I pay?"),
    ),
    "invoice_number": ("the bill number|the number of the bill", ("what's the number of [the|that] bill?",)),
    "cause": (
        "the cause|the reason|the reason for it",
        ("why [is that|did that happen|is it so]?", "what's the reason?"),
    ),
    "open_amount": ("the open amount|the sum that is open|the balance", ("how much is [open|left]?",)),
    "reminders": ("the number of reminders", ("how many reminders [are there|did I get]?",)),
    "rate": (
        "the monthly rate|each payment|the instalment",
        ("how much [is that|would I pay] a month?", "what's the rate?"),
    ),
    "fee": (
        "the fee|the fee for it|the extra cost",
        ("[is there a|what's the] fee?", "does [it|that] cost [anything|extra]?"),
    ),
    "booked_on": ("the booking date|the day it was booked", ("when [did it arrive|was it booked]?",)),
    "last_reading": ("the last reading|the last figure we have", ("what was the last one?",)),
    "read_on": ("the date of that reading|the day it was read", ("when was that[ read|]?", "what date was that?")),
    "read_by": (
        "the source of the reading|the origin of that figure",
        ("who read it?", "was that [me|an estimate]?"),
    ),
    "tariff": ("your tariff|the tariff|the tariff there", ("which tariff is [it|that]?", "what tariff do I have?")),
    "price": (
        "the price|the monthly price|the price a month",
        ("[what does it|how much does it] cost?", "what's the price?"),
    ),
    "term": (
        "the term|the minimum term|the length of the contract",
        ("how long [is the term|am I bound]?", "what's the term?"),
    ),
    "ends_on": ("the end of the contract|the end of your term", ("when does it end?",)),
    "notice": (
        "the notice|the notice period|the time of notice",
        ("what's the notice [period|]?", "how early must I tell you?"),
    ),
    "contract_number": ("the contract number|the number of your contract", ("what's my contract number?",)),
    "grid": ("the grid|the grid there|the grid area", ("which grid is [it|that]?",)),
    "restored_at": (
        "the expected time of repair|the time it should be back",
        ("[when will it be back|how long will it take|when is it fixed]?", "any idea when it's back?"),
    ),
    "households": (
        "the number of homes affected|the number of homes without power",
        ("[how many|is it only us or] others?",),
    ),
    "technician": (
        "the technician|the name of the technician",
        ("who [will come|is coming]?", "what's the name of the technician?"),
    ),
    "duration": (
        "the duration|the time it takes",
        ("how long does it take?", "how much time [should I plan|will it take]?"),
    ),
    "delivered_on": ("the delivery date|the day of delivery", ("when [will it come|is it delivered]?",)),
    "charger": ("the model|the charger|the charger you have", ("which model is it?",)),
    "last_seen": ("the last sign of it|the day it was last online", ("since when is it offline?",)),
    "reference": ("the reference|your reference number|the number of your case", ("is there a [reference|number]?",)),
    "effective_on": ("the date it takes effect|the day it counts from", ("[from when|when does it count]?",)),
}
"""By field: nouns, and questions."""

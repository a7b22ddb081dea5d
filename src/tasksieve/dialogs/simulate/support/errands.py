"""Errands: what users want of a service, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Errand:
    """One thing that users want.

    Attributes:
        openings: how they say so.
        slots: what has to be known, in the order in which the older desk asks.
        look_up: the tool that is asked first; empty if none is.
        tells: of what it answers, what the agent says unasked.
        offers: the field of its answers that the user chooses by; empty if there is nothing to choose.
        change: the tool that does it; empty if telling is all.
        unless_found: whether the change is needed only if nothing was found.
        summary: what is going to be done, as agents put it: "that I {summary}".
        refusals: why it may be refused.
        asides: fields that users may ask for besides.
    """

    openings: tuple[str, ...]
    slots: tuple[str, ...]
    look_up: str = ""
    tells: tuple[str, ...] = ()
    offers: str = ""
    change: str = ""
    unless_found: bool = False
    summary: str = ""
    refusals: tuple[str, ...] = ()
    asides: tuple[str, ...] = ()


_WANT = "[I'd like to|I want to|I need to|can I|could I|is it possible to|how do I]"

SERVICES: dict[str, dict[str, Errand]] = {
    "billing": {
        "explain_bill": Errand(
            (
                "[my|the] [last |]bill[ is|'s] [so|way too|much too|very|surprisingly] high[, why is that|, can you explain it|]?",
                "[I don't understand|can you explain|I have a question about|something about] my [bill|invoice]",
                "why [did|do] I [have to |]pay so much [this time|all of a sudden]?",
            ),
            ("month",),
            look_up="get_invoice",
            tells=("amount", "cause"),
            asides=("due_date", "usage", "invoice_number", "previous_amount"),
        ),
        "copy_of_bill": Errand(
            (
                f"{_WANT} [get|have] a copy of [my|a|an old] [bill|invoice]",
                "[I lost|I can't find|I never got] my [bill|invoice][, can you send it again|, I need it for my taxes|]",
                "please send me [my|the] [bill|invoice] [again|once more]",
            ),
            ("month", "delivery"),
            change="send_invoice",
            summary="send you a copy of the bill [from|for] {month} {delivery}",
            refusals=("this bill is not ready yet", "the archive is closed tonight"),
        ),
        "wrong_bill": Errand(
            (
                "[I think |]my [bill|invoice] is wrong[, {complaint}|]",
                "there['s| is] [a mistake|an error|something wrong] [on|in|with] my [bill|invoice]",
                f"{_WANT} complain about [my bill|an invoice]",
            ),
            ("month", "complaint"),
            look_up="get_invoice",
            tells=("amount", "usage"),
            change="open_dispute",
            summary="have the bill [from|for] {month} checked",
            refusals=("there is an open complaint already", "the bill was corrected yesterday"),
            asides=("due_date", "cause", "invoice_number"),
        ),
    },
    "payments": {
        "pay_later": Errand(
            (
                f"{_WANT} pay [my bill |]later",
                "I can't pay [my bill|the bill|it] [right now|in time|this month][, can I get more time|]",
                f"{_WANT} [move|postpone|delay] a payment",
            ),
            ("month", "new_due_date"),
            look_up="get_balance",
            tells=("open_amount",),
            change="defer_payment",
            summary="move the payment for {month} to {new_due_date}",
            refusals=("the new date is too late", "a second delay is not possible", "there are open reminders"),
            asides=("due_date", "reminders"),
        ),
        "instalments": Errand(
            (
                f"{_WANT} pay in [instalments|parts|rates]",
                "[can|could] we agree on a payment plan",
                "I can't pay [everything|all of it|the whole amount] at once",
            ),
            ("first_payment",),
            look_up="find_plans",
            offers="plan",
            change="start_plan",
            summary="set up {plan}[ of {rate}|], [starting|the first] on {first_payment}",
            refusals=("the account has a running plan", "the credit check failed"),
            asides=("rate", "fee"),
        ),
        "missing_payment": Errand(
            (
                "I [got|received] a reminder but I [have paid|already paid|did pay]",
                "[where is|did you get|has] my payment[ arrived|]?",
                "my [transfer|payment] [doesn't show|isn't there|is missing]",
            ),
            ("paid_on",),
            look_up="find_payment",
            tells=("booked_on",),
            change="trace_payment",
            unless_found=True,
            summary="have your payment of {paid_on} traced",
            refusals=("a trace takes a bank statement", "the transfer is too recent"),
            asides=("amount",),
        ),
    },
    "meter_readings": {
        "submit_reading": Errand(
            (
                f"{_WANT} [submit|give you|send in|report] [my|a] [meter |]reading",
                "[here is|I have] [my|the] [meter reading|reading of my meter]",
                "I got a [letter|card] about [reading the meter|my meter reading]",
            ),
            ("meter_number", "reading", "reading_date"),
            change="submit_reading",
            summary="[note|enter] {reading} for meter {meter_number}[, read on {reading_date}|]",
            refusals=("it is lower than the last reading", "it is far above the usual usage", "the meter is unknown"),
        ),
        "last_reading": Errand(
            (
                "[what was|can you tell me|do you have] my last [meter |]reading?",
                "how much did my meter show [last time|last year]?",
                "I need my [old|last|previous] meter reading",
            ),
            ("meter_number",),
            look_up="get_meter",
            tells=("last_reading",),
            asides=("read_on", "read_by"),
        ),
    },
    "moving": {
        "move_house": Errand(
            (
                "[I'm|we're|I am] moving[ house| soon| next month|][ and want to take my contract along|]",
                f"{_WANT} [take my contract to|register] a new [address|flat|home]",
                "[we found|I have] a new [flat|house], what about the [power|contract]?",
            ),
            ("new_address", "moving_date", "reading"),
            look_up="check_supply",
            tells=("tariff", "price"),
            change="register_move",
            summary="move your contract to {new_address}[ on {moving_date}|]",
            refusals=("the new address has another supplier", "the address is not in our area"),
            asides=("grid", "price"),
        ),
        "move_out": Errand(
            (
                "[I'm|we're] moving out[ and need to sign off|]",
                f"{_WANT} sign off [my flat|the old flat|power at the old place]",
                "my [lease|tenancy] ends[, what do I have to do|]",
            ),
            ("moving_date", "reading"),
            change="close_supply",
            summary="sign off the old flat on {moving_date}[ with a reading of {reading}|]",
            refusals=("the date is in the past", "there is an open amount"),
        ),
    },
    "outages": {
        "power_cut": Errand(
            (
                "[I have|we have|there's] no [power|electricity|light][ at all| in {affected}| since {since}|]",
                "[the power|electricity|the light] [is out|went off|is gone][ in {affected}|]",
                "is there [an outage|a power cut] [in my area|here|in {postcode}|at the moment]?",
            ),
            ("affected", "since"),
            look_up="check_outages",
            tells=("cause", "restored_at"),
            change="create_ticket",
            unless_found=True,
            summary="[send someone|open a ticket] for {affected}",
            refusals=("all teams are out", "a ticket for this address is open"),
            asides=("households", "restored_at"),
        ),
        "flicker": Errand(
            (
                "[my|the|our] lights [keep flickering|flicker|go on and off]",
                "the [power|current] [is unstable|comes and goes|drops all the time]",
                "[something is wrong with|there are dips in] the power [here|in {affected}]",
            ),
            ("since", "affected"),
            look_up="check_outages",
            tells=("cause",),
            change="create_ticket",
            unless_found=True,
            summary="have [the line|the connection] checked, as {affected} [is affected|flickers][ since {since}|]",
            refusals=("the landlord has to ask for it", "a ticket for this address is open"),
            asides=("restored_at",),
        ),
    },
    "tariffs": {
        "change_tariff": Errand(
            (
                f"{_WANT} [change|switch] [my tariff|tariffs|to another tariff]",
                "[do you have|are there|is there] [anything cheaper|a better tariff|other tariffs][ with {preference}|]?",
                "I'm looking for a [new|cheaper|greener] tariff",
            ),
            ("usage", "preference"),
            look_up="find_tariffs",
            offers="tariff",
            change="change_tariff",
            summary="switch you to {tariff}[ at {price} a month|]",
            refusals=("the running term has not ended", "the tariff is not sold in your area"),
            asides=("price", "term"),
        ),
        "my_tariff": Errand(
            (
                "[which|what] tariff [am I on|do I have]?",
                "[how long does|when does] my contract [run|end]?",
                "[can you tell me|I'd like to know] [about my contract|the details of my contract]",
            ),
            (),
            look_up="get_contract",
            tells=("tariff", "ends_on"),
            asides=("price", "notice", "contract_number"),
        ),
    },
    "appointments": {
        "book_visit": Errand(
            (
                "I need a technician[ for {job}|]",
                f"{_WANT} [book|make|get] an appointment[ for {{job}}|]",
                "[can|could] someone come [by|over|and have a look][ for {job}|]?",
            ),
            ("job", "day", "daypart"),
            look_up="find_visits",
            offers="visit",
            change="book_visit",
            summary="book {visit}[ for {job}|]",
            refusals=("someone else has just taken it", "the technician is ill"),
            asides=("technician", "duration"),
        ),
        "move_visit": Errand(
            (
                f"{_WANT} [move|change|reschedule|shift] my appointment",
                "I can't make it to my appointment[, can we move it|]",
                "[the technician was supposed to come but|sorry, but] I won't be [home|there]",
            ),
            ("day", "daypart"),
            look_up="find_visits",
            offers="visit",
            change="move_visit",
            summary="move your appointment to {visit}",
            refusals=("someone else has just taken it", "it can be moved only once"),
            asides=("technician", "duration"),
        ),
    },
    "account_data": {
        "change_email": Errand(
            (
                f"{_WANT} change my e-mail[ address|]",
                "I have a new [e-mail|mail address|email]",
                "my [mails|e-mails] from you go to [an old|the wrong] address",
            ),
            ("new_email",),
            change="update_account",
            summary="change your e-mail to {new_email}",
            refusals=("another account has this address", "the address cannot be reached"),
        ),
        "change_phone": Errand(
            (
                f"{_WANT} [change|update] my [phone |mobile |]number",
                "I have a new [phone|mobile|telephone] number",
                "you have my old phone number",
            ),
            ("new_phone",),
            change="update_account",
            summary="change your phone number to {new_phone}",
            refusals=("the number has a digit too many", "the system is being maintained"),
        ),
        "change_name": Errand(
            (
                "[I got married|we got married|I got divorced] and [have a new name|my name changed]",
                f"{_WANT} change [my|the] name on [the|my] [account|contract]",
                "my name [has changed|is spelled wrong]",
            ),
            ("new_last_name", "valid_from"),
            change="update_account",
            summary="change your name to {new_last_name}[ as of {valid_from}|]",
            refusals=("we need a certificate first", "the contract has two holders"),
        ),
    },
    "cancellations": {
        "cancel_contract": Errand(
            (
                f"{_WANT} cancel [my contract|everything|my power contract][, {{reason}}|]",
                "[I'm leaving you|I want to quit|please cancel my contract][, {reason}|]",
                "[when|how] can I get out of my contract?",
            ),
            ("reason", "end_date"),
            look_up="get_contract",
            tells=("ends_on",),
            change="cancel_contract",
            summary="cancel contract {contract_number}[ on {end_date}|]",
            refusals=("the term runs longer than that", "the notice is too short"),
            asides=("notice", "price", "tariff"),
        ),
    },
    "charging": {
        "order_charger": Errand(
            (
                f"{_WANT} [order|buy|get] a [charger|wallbox|charging point][ for {{parking}}|]",
                "[I bought|we're getting] an electric car and need a [charger|wallbox]",
                "do you [sell|have|install] [chargers|wallboxes][ with {power}|]?",
            ),
            ("parking", "power", "day"),
            look_up="find_chargers",
            offers="charger",
            change="order_charger",
            summary="order {charger}[ at {price}|][ for {parking}|]",
            refusals=("the grid must be upgraded first", "it is out of stock"),
            asides=("price", "delivered_on"),
        ),
        "charger_fault": Errand(
            (
                "my [charger|wallbox] [doesn't work|is broken|stopped|won't charge][ since {since}|]",
                "[the|my] car [isn't|is not] charging[, it shows {error_code}|]",
                "there's an error [on|with] my [charger|wallbox]",
            ),
            ("error_code", "since"),
            look_up="check_charger",
            tells=("cause",),
            change="create_ticket",
            unless_found=True,
            summary="open a ticket for error {error_code}",
            refusals=("the warranty has ended", "a ticket for this charger is open"),
            asides=("last_seen",),
        ),
    },
}
"""The errands of each service."""

"""Errands about what comes into the house."""

from __future__ import annotations

from tasksieve.dialogs.simulate.support.errand import WANT, Errand

SUPPLY_ERRANDS: dict[str, dict[str, Errand]] = {
    "meter_readings": {
        "submit_reading": Errand(
            (
                f"{WANT} [submit|give you|send in|report] [my|a] [meter |]reading",
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
                f"{WANT} [take my contract to|register] a new [address|flat|home]",
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
                f"{WANT} sign off [my flat|the old flat|power at the old place]",
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
    "appointments": {
        "book_visit": Errand(
            (
                "I need a technician[ for {job}|]",
                f"{WANT} [book|make|get] an appointment[ for {{job}}|]",
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
                f"{WANT} [move|change|reschedule|shift] my appointment",
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
    "charging": {
        "order_charger": Errand(
            (
                f"{WANT} [order|buy|get] a [charger|wallbox|charging point][ for {{parking}}|]",
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
"""The errands of each of these services."""

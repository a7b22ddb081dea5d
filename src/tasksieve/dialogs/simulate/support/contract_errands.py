"""Errands about contracts and money."""

from __future__ import annotations

from tasksieve.dialogs.simulate.support.errand import WANT, Errand

CONTRACT_ERRANDS: dict[str, dict[str, Errand]] = {
    "billing": {
        "explain_bill": Errand(
            (
                (
                    "[my|the] [last |]bill[ is|'s] [so|way too|much too|very|surprisingly] high[, why is that|, "
                    "can you explain it|]?"
                ),
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
                f"{WANT} [get|have] a copy of [my|a|an old] [bill|invoice]",
                (
                    "[I lost|I can't find|I never got] my [bill|invoice][, can you send it again|, I need it for "
                    "my taxes|]"
                ),
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
                f"{WANT} complain about [my bill|an invoice]",
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
                f"{WANT} pay [my bill |]later",
                "I can't pay [my bill|the bill|it] [right now|in time|this month][, can I get more time|]",
                f"{WANT} [move|postpone|delay] a payment",
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
                f"{WANT} pay in [instalments|parts|rates]",
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
    "tariffs": {
        "change_tariff": Errand(
            (
                f"{WANT} [change|switch] [my tariff|tariffs|to another tariff]",
                (
                    "[do you have|are there|is there] [anything cheaper|a better tariff|other tariffs][ with "
                    "{preference}|]?"
                ),
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
    "account_data": {
        "change_email": Errand(
            (
                f"{WANT} change my e-mail[ address|]",
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
                f"{WANT} [change|update] my [phone |mobile |]number",
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
                f"{WANT} change [my|the] name on [the|my] [account|contract]",
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
                f"{WANT} cancel [my contract|everything|my power contract][, {{reason}}|]",
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
}
"""The errands of each of these services."""

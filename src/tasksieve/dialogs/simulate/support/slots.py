"""What an agent asks for: how it is called, how users give it, and where they find it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slot:
    """Something that an agent asks for.

    Attributes:
        nouns: what agents call it.
        answers: how users give it when asked, beside the ways in which anything is given.
        phrase: how users add it to what they want.
        where: how it is explained to users who do not know it.
        questions: how it is asked for, beside the ways in which anything is asked for.
    """

    nouns: str
    answers: tuple[str, ...]
    phrase: str
    where: str
    questions: tuple[str, ...] = ()


SLOTS = {
    "customer_number": Slot(
        ("your customer number|the customer number|your eight-digit customer number|the number of your account"),
        ("my customer [number|no] is {customer_number}", "customer number {customer_number}"),
        "customer number {customer_number}",
        ("you find it [at the top right of|on the first page of|under the address on] every [bill|letter from us]"),
    ),
    "last_name": Slot(
        "your last name|your surname|your family name|the last name on the contract",
        ("[it's|the contract is on|the name is] {last_name}",),
        "my name is {last_name}",
        "it is the name that [the bills are sent to|the contract was made with]",
    ),
    "postcode": Slot(
        "your postcode|the postcode of your home|the postcode of the supply address|your postal code",
        ("the postcode is {postcode}", "post code {postcode}"),
        "I live in {postcode}",
        "it is [part of your address|the five digits before the town]",
    ),
    "email": Slot(
        ("your e-mail|your e-mail address|the e-mail you signed up with|the e-mail address on your account"),
        ("my [mail|e-mail|email] is {email}", "you should have {email}"),
        "my mail is {email}",
        "it is the one [that we send your bills to|you log in with]",
    ),
    "code": Slot(
        "the code[ we sent to {phone}|]|your six-digit code|the code from the text message",
        ("[the code is|code|I got] {code}", "{code}[ I think|]", "{code}"),
        "the code is {code}",
        "it is in the text message that you have just got",
        ("[I have|We have] just sent a code to {phone}. [What is it|Which one is it]?",),
    ),
    "month": Slot(
        "the month of the bill|the month|the billing month|the month it is about",
        ("the [one from|one for|bill for|bill of] {month}", "{month}[ I think|, I believe|]", "it was {month}"),
        "[for|from|in] {month}",
        "it is [printed beside|right under] the bill number",
        ("Which month[ is this about|'s bill is it|]?", "Which bill do you mean, which month?"),
    ),
    "delivery": Slot(
        "the way of delivery|your preferred delivery|the kind of delivery",
        ("{delivery} [would be great|is fine|works]", "send it {delivery}", "[can I get it|I'd like it] {delivery}?"),
        "{delivery}",
        "we send [copies|it] by e-mail or by post",
        ("By e-mail or by post?", "How [should|shall] [we|I] send it?"),
    ),
    "complaint": Slot(
        "the mistake|the problem with it|a word on what is wrong|the part that looks wrong",
        ("{complaint}", "[it's that|basically] {complaint}", "I think {complaint}"),
        "{complaint}",
        "[anything that looks odd|an amount, a date or the usage] helps",
        ("What [seems to be|is|looks] wrong [with it|there]?",),
    ),
    "new_due_date": Slot(
        "the date you can pay by|your preferred payment date|the new date|a date that suits you",
        ("I can pay [on|by] {new_due_date}", "[would|is] {new_due_date} [be ok|ok|possible]?"),
        "[until|by] {new_due_date}",
        "any date within the next weeks [will do|is possible]",
        ("[By when|When] [can|could] you pay[ it|]?",),
    ),
    "first_payment": Slot(
        "the date of the first payment|your preferred start|the day of the first instalment",
        ("I [can|could|want to] start [on|from] {first_payment}", "first one on {first_payment}"),
        "starting [on|from] {first_payment}",
        "it is the day on which the first part is [collected|due]",
        ("When [should|shall|can] the first payment [be|go out]?",),
    ),
    "paid_on": Slot(
        "the date of your transfer|the day you paid|the date of the payment",
        ("I [paid|sent it|transferred it] on {paid_on}", "[must have been|it was on] {paid_on}"),
        "I paid on {paid_on}",
        "it is on your bank statement",
        ("When did you [pay|send the money|make the transfer]?", "On which day was [it|that] paid?"),
    ),
    "meter_number": Slot(
        "your meter number|the number of the meter|the serial number of your meter|the meter's number",
        ("the meter [says|is|number is] {meter_number}", "meter {meter_number}"),
        "meter {meter_number}",
        "it is [engraved|printed] [below the bar code|on the front of the meter|next to the display]",
    ),
    "reading": Slot(
        "the reading|the current reading|the meter reading|the figures on the display",
        ("it [says|shows|reads|is at] {reading}", "{reading} [right now|kwh|as of today|]", "reading's {reading}"),
        "it reads {reading}",
        "only the digits before the [comma|point] count",
        ("What does the [meter|display] [show|say|read]?",),
    ),
    "reading_date": Slot(
        "the date of the reading|the day it was read|the reading date",
        ("I read it on {reading_date}", "[that was|taken|read] [on|] {reading_date}"),
        "read on {reading_date}",
        "the day you looked at it is what counts",
        ("When [did you read|was it read]?", "When did you take [it|the reading]?"),
    ),
    "new_address": Slot(
        "your new address|the new address|the address you are moving to|the street and town you move to",
        ("[it's going to be|we're moving to|I'm moving to|the new place is] {new_address}",),
        "to {new_address}",
        "street, number and town [are enough|will do]",
        ("Where are you moving[ to|]?", "What's the new address?"),
    ),
    "moving_date": Slot(
        "the date of the move|your moving date|the moving day|the day of the handover",
        ("we [move|get the keys|hand over the flat] on {moving_date}", "I'm moving [on|] {moving_date}"),
        "on {moving_date}",
        "the day [you get the keys|of the handover] is what counts",
        ("When [is the move|do you move|are you moving]?",),
    ),
    "affected": Slot(
        "the part that is affected|the affected part|the rooms without power",
        ("{affected}", "[it's|looks like] {affected}", "{affected} [is out|is dead|has no power]"),
        "[no power in|nothing works in] {affected}",
        "[have a look at|please check] the [fuse box|lights in the stairs] first",
        ("Is it the whole [house|building] or [just|only] a part of it?", "What exactly [is|has gone] off?"),
    ),
    "since": Slot(
        "the time it started|the time it began|a rough start time",
        ("since {since}", "it [started|began|went off] {since}", "[must be|about|around] {since}"),
        "since {since}",
        "a rough time [is fine|will do]",
        ("[Since when|For how long] [is it out|has that been so]?", "When did [it|that] start?"),
    ),
    "usage": Slot(
        "your yearly usage|your usage in a year|the usage of last year",
        ("[about|around|roughly|] {usage}", "we use {usage}[ a year|]", "it was {usage} last year"),
        "we use {usage}",
        "it is on [your last yearly bill|page two of the yearly bill]",
        ("How much [power |]do you use [in a year|a year]?",),
    ),
    "preference": Slot(
        "your main wish|your preference|your priority",
        (
            "{preference} [would be nice|matters most|please]",
            "I'd [like|prefer] {preference}",
            "[mostly|mainly] {preference}",
        ),
        "[something with|with] {preference}",
        "[some want|it could be] a low price, green power or a fixed price",
        ("What matters [most |]to you: price, green power, a fixed price?",),
    ),
    "job": Slot(
        "the reason of the visit|the purpose of the visit|the work to be done",
        ("[it's for|it is about|I need] {job}", "{job}"),
        "for {job}",
        "[a meter exchange or a check|whatever has to be looked at], for example",
        ("What [is the visit|should the technician come] for?", "What [needs|has] to be done?"),
    ),
    "day": Slot(
        "a day that suits you|the day|your preferred day",
        (
            "{day} [works|would work|is good|suits me]",
            "[how about|could you do|is there anything on] {day}?",
            "on {day}",
        ),
        "on {day}",
        "any weekday [is possible|will do]",
        ("Which day [suits you|would suit you|works best]?", "When [would you be|are you] at home?"),
    ),
    "daypart": Slot(
        "the time of day|your preferred time of day|a good time of day",
        ("{daypart} [is better|please|would be best|]", "[in the|the] {daypart}", "I'm free in the {daypart}"),
        "in the {daypart}",
        "we come [between eight and six|in the morning or in the afternoon]",
        ("[Morning or afternoon|In the morning or in the afternoon]?", "What time of day [suits|works]?"),
    ),
    "new_email": Slot(
        "the new e-mail address|your new e-mail|the new address for e-mails",
        ("[it's|the new one is|please use|change it to] {new_email}",),
        "to {new_email}",
        "it is the one you want our letters at",
    ),
    "new_phone": Slot(
        "the new phone number|your new number|the number to reach you at",
        ("[it's|new number is|you can reach me at|call me on] {new_phone}",),
        "to {new_phone}",
        "[mobile or landline|any number], both are fine",
    ),
    "new_last_name": Slot(
        "your new last name|the new name|the new surname",
        (
            "[it's|I'm called|my name is now|from now on] {new_last_name}",
            "{new_last_name}, [spelled like that|one word]",
        ),
        "to {new_last_name}",
        "as it is in your passport",
    ),
    "valid_from": Slot(
        "the date of the change|the start date|the day of the change",
        ("[since|from|as of] {valid_from}", "we married on {valid_from}"),
        "as of {valid_from}",
        "the date on the certificate [counts|is what we need]",
        ("From when[ on|] [does it count|is it valid]?",),
    ),
    "reason": Slot(
        "the reason|your reason for leaving|your reason",
        ("{reason}", "[because|it's because|well,] {reason}", "[simply|honestly] {reason}"),
        "because {reason}",
        "it [only |]helps us to get better",
        ("[Why|May I ask why] [do you want to leave|you want to leave]?",),
    ),
    "end_date": Slot(
        "the date it should end|your last day|the end date",
        ("[it should end|end it|stop it] on {end_date}", "[as of|by|from] {end_date}"),
        "[for|by|as of] {end_date}",
        "the end of a month is [usual|simplest]",
        ("When [should|shall] [it|the contract] end?",),
    ),
    "parking": Slot(
        "the kind of parking space|the place for the charger|your kind of parking space",
        ("[it's|I have|we've got|there is] {parking}", "{parking}"),
        "for {parking}",
        "a garage, a carport, [or|maybe] a space outside",
        ("Where do you park[ the car|]?", "Garage, carport or outside?"),
    ),
    "power": Slot(
        "the charging power|the power in kilowatts|the power you want",
        ("{power} [should do|is enough|please|]", "I [think|guess] {power}", "the {power} one"),
        "with {power}",
        "most cars [take|charge with] 11 kW",
        ("11 or 22 kW?", "How fast should it [charge|be]?"),
    ),
    "error_code": Slot(
        "the error code|the code on the display|the code that blinks",
        ("[it says|display says|it blinks|error] {error_code}", "[code|there is] {error_code}"),
        "it shows {error_code}",
        "it is [the letter and two digits|shown] [on the display|beside the plug]",
        ("What [does the display say|code do you see]?",),
    ),
}
"""Every slot by its name."""

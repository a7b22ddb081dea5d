"""What the system says to users of each gender and age; the users talk as they do for any table."""

from __future__ import annotations

from dataclasses import replace

from tasksieve.dialogs.simulate import restaurant_wording
from tasksieve.dialogs.simulate.domain import Profile, SystemWording

ASK_CONTACT = ("how can i get in touch with them", "please give me their contact details")
ASK_WAY = ("how do i get there", "please tell me the way", "what is the best way to reach it")

_QUESTIONS_YOUNG = {
    "cuisine": "what are you hungry for",
    "location": "which town",
    "number": "how many friends are coming",
    "price": "how much do you want to spend",
}
_QUESTIONS_MIDDLE_AGED = {
    **restaurant_wording.STYLE.questions,
    "cuisine": "which cooking do you like best",
    "price": "how much would you like to spend",
}
_QUESTIONS_ELDERLY_MALE = {
    "cuisine": "might i ask which cooking pleases you sir",
    "location": "might i ask which city you will dine in sir",
    "number": "might i ask how large your group will be sir",
    "price": "might i ask what you wish to spend sir",
}
_QUESTIONS_ELDERLY_FEMALE = {
    "cuisine": "be so kind to tell me which cooking pleases you madam",
    "location": "be so kind to tell me which city you will dine in madam",
    "number": "be so kind to tell me how large your group will be madam",
    "price": "be so kind to tell me what you wish to spend madam",
}

_MALE_YOUNG = SystemWording(
    greeting="yo man what are you up for",
    acknowledgement="no sweat starting on that now",
    questions=_QUESTIONS_YOUNG,
    search="checking a few tables now",
    ask_updates="gotcha want to change anything more",
    proposal="check this place out: {}",
    find_another="my bad trying a different place",
    reservation="nice the table is yours",
    information="there you have it {}",
    anything_else="what more can i do man",
    goodbye="catch you later",
)
_FEMALE_YOUNG = SystemWording(
    greeting="heya sister what are you up for",
    acknowledgement="hang on i am writing that down",
    questions=_QUESTIONS_YOUNG,
    search="let me peek at a few tables",
    ask_updates="alright want to change anything more",
    proposal="does this place sound fun: {}",
    find_another="all good trying some other place",
    reservation="yay the table is yours",
    information="there you have it {}",
    anything_else="what more can i do for you",
    goodbye="have fun tonight",
)
_MALE_MIDDLE_AGED = SystemWording(
    greeting="welcome sir what do you need",
    acknowledgement="very good sir i am opening your file",
    questions=_QUESTIONS_MIDDLE_AGED,
    search="one moment sir while i search for tables",
    ask_updates="noted sir do you want to change anything more",
    proposal="would this place suit you: {}",
    find_another="understood sir i will pick a different place",
    reservation="perfect sir i am booking it",
    information="this is what you need {}",
    anything_else="can i do something more for you sir",
    goodbye="enjoy your meal sir",
)
_FEMALE_MIDDLE_AGED = replace(
    restaurant_wording.STYLE,
    greeting="welcome ma'am what do you need",
    acknowledgement="very good ma'am i am noting that",
    questions=_QUESTIONS_MIDDLE_AGED,
    search="one moment ma'am while i search for tables",
    ask_updates="noted ma'am do you want to change anything more",
    find_another="understood ma'am i will pick a different place",
    anything_else="can i do something more for you ma'am",
    goodbye="enjoy your meal ma'am",
)
_MALE_ELDERLY = SystemWording(
    greeting="a very fine day to you sir how may i serve you",
    acknowledgement="certainly sir i shall attend to your wishes",
    questions=_QUESTIONS_ELDERLY_MALE,
    search="kindly wait sir while i consult our book of tables",
    ask_updates="certainly sir do you wish to change anything more",
    proposal="allow me to recommend this place: {}",
    find_another="my apologies sir i shall recommend a different place",
    reservation="splendid sir i shall reserve it at once",
    information="the details you requested are {}",
    anything_else="can i be of further service sir",
    goodbye="it has been an honour sir",
)
_FEMALE_ELDERLY = SystemWording(
    greeting="what a joy to hear from you madam how may i serve you",
    acknowledgement="with pleasure madam i shall attend to your wishes",
    questions=_QUESTIONS_ELDERLY_FEMALE,
    search="kindly wait madam while i consult our book of tables",
    ask_updates="with pleasure madam do you wish to change anything more",
    proposal="perhaps you would enjoy this place: {}",
    find_another="my apologies madam i shall recommend a different place",
    reservation="wonderful madam i shall reserve it at once",
    information="the details you requested are {}",
    anything_else="can i be of further service madam",
    goodbye="it has been an honour madam",
)

STYLES: dict[Profile, SystemWording] = {
    ("male", "young"): _MALE_YOUNG,
    ("female", "young"): _FEMALE_YOUNG,
    ("male", "middle-aged"): _MALE_MIDDLE_AGED,
    ("female", "middle-aged"): _FEMALE_MIDDLE_AGED,
    ("male", "elderly"): _MALE_ELDERLY,
    ("female", "elderly"): _FEMALE_ELDERLY,
}
"""The style for each gender and age."""

"""What users say at the desks, several ways for each purpose.

Openings stand with the errands, answers with the slots.
"""

from __future__ import annotations

GREETINGS = (
    "[Hi|Hello|Hey|Good morning|Good evening|Hi there|Hello there]",
    "[Hi|Hello], [anyone there|is someone there]?",
)
GIVES = (
    "{VALUE}",
    "{VALUE}",
    "[it's|it is|that's|that is|that would be] {VALUE}",
    "[sure|ok|here you go|of course][,|:] {VALUE}",
)
YES = (
    (
        "[yes|yep|yeah|correct|exactly|right|sure|yes please|that's right|that's correct|sounds "
        "good|ok|perfect|go ahead]"
    ),
    "[yes|yeah|right], [that's me|please do|go ahead|do that|correct|all good|that's fine]",
    "[please do|do it|fine by me|all correct|everything's right]",
)
IS_ME = ("[yes|yep|correct|exactly|speaking|right]", "[that's me|that is me|yes, that's me|it's me|yes I am]")
TAKES = (
    "[yes|ok|great|perfect], [I'll take it|I take that|that works|let's do that|sounds good|book it]",
    "[that one|that|this one] [is fine|works for me|sounds good|is perfect]",
    "[let's do that|I'll take that one|good, that one|ok that's good]",
)
REJECTS = (
    (
        "[no|nope|hmm, no|not really|rather not], [something else|what else do you have|do you have "
        "another one|is there another]?"
    ),
    (
        "[that doesn't work|that's not good|I don't like that|that doesn't suit me][ at "
        "all|][, what else is there|, anything else|]?"
    ),
    "[another one|something different|any alternatives], please",
)
REFUSES = (
    "[no|no thanks|nah|not now|no need|I'd rather not|no thank you]",
    "[no], [I'll manage|leave it|that's not necessary]",
)
ACCEPTS = ("[yes|ok|yes please|sure|that would be good|please do|why not]", "[yes], [that'd be nice|please|do that]")
INSISTS = (
    "[no|no thanks], [I've decided|just cancel it|my mind is made up|I want out]",
    "[I'd still like to cancel|please just cancel]",
)
STAYS = (
    "[hmm, ok|oh|well], [then I'll stay|I'll stay for that|that changes things]",
    "[deal, I'll stay|ok then I stay]",
)
CHANGES = (
    ("[wait|sorry|no|actually|oh wait], [make it|make that|I meant|it should be|rather|change that to] {VALUE}"),
    "[hold on|hmm|no wait][,] {VALUE} [instead|would be better]",
    "[I changed my mind|I made a mistake|that's wrong][, it's|: |, it should be ]{VALUE}",
)
DOES_NOT_KNOW = (
    ("[I don't know|no idea|I have no idea|not sure][, where do I find that|, what do you mean|, where is it|]"),
    "[where|and where] [do I find|can I see|is] [that|it]?",
    "[hmm, what|what exactly] do you mean [by that|]?",
)
HAS_NOT = (
    ("[I don't have|I can't find|I lost|don't have] [it|that|it here|that at hand][ right now|, sorry|]"),
    "[sorry|hmm], [I don't have that with me|no idea|I can't find that|not at hand]",
)
CORRECTS = (
    "[sorry|oh|oops|ah], [I mistyped|wrong one|typo|that was the old one][, it's|:|, I mean] {VALUE}",
    "[let me check|one moment][...|:] {VALUE}",
    "[try|maybe] {VALUE}",
)
THANKS = (
    "[thanks|thank you][ a lot| very much|, that's all|, that helps|, good to know|]",
    "[ok|alright|good|great], [thank you|thanks|that's good|understood]",
)
GOES_ON = (
    ("[ok|alright|I see|hmm|oh|right], [go on|and now|so what now|please go ahead|then let's do it|so be it]"),
    "[ok|I see|thanks|good to know|fine][, thanks|, understood|, that's clear|]",
)
NOTHING_MORE = (
    (
        "[no|nope|no thanks|no thank you|nothing else], [that's all|that was it|that's it|bye|I'm "
        "good|have a nice day]"
    ),
    "[that's all|that was all|that's everything|all good|I'm done][, thanks|, thank you|, bye|]",
)
ONE_MORE = ("[yes|actually|oh|one more thing|and also], ", "[there is something else|yes, another thing]: ")
RESIGNS = (
    "[oh|ok|hmm|too bad|oh no], [a pity|I see|then not|that's bad|ok then|thanks anyway]",
    "[that's annoying|really? ok|not great][, but thanks|, but ok|]",
)
ASIDES = {
    "opening_hours": ("[when are you open|what are your hours|until when can I reach you]?",),
    "costs": (
        "[does|will] [this|that] cost [me |]anything?",
        "is [this|that|it] free?",
        "[are there|is there] any [fees|costs]?",
    ),
    "time": ("how long [does|will] [it|that|this] take?", "[when|how soon] [is it|will it be|will that be] done?"),
    "privacy": (
        "why do you need [that|to know that]?",
        "what [do you need|is] that for?",
        "[is that|are my data] safe?",
    ),
    "person": ("can I [talk|speak] to a [human|real person]?", "are you a [bot|robot|machine]?"),
}

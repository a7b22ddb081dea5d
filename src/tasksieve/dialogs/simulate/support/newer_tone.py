"""How the agents of the newer desk talk: by first name, short and cheerful."""

from __future__ import annotations

from tasksieve.dialogs.simulate.support.tone import Tone

NEWER_TONE = Tone(
    acts={
        "greet": (
            "[Hi|Hey|Hi there|Hello] [and welcome|, Hallmere chat here|, nice to have you here|]!",
            "[Hey there|Hi], [this is|you're chatting with] [Hallmere|the Hallmere team]!",
        ),
        "offer_help": (
            "[What's up|What's going on|What can we do for you|How can we help][ today|]?",
            "[Tell us|Tell me|Just type] what [you need|it's about].",
        ),
        "confirm(last_name)": (
            "[You're|That's] {first_name} {last_name}, [right|yes|correct]?",
            "[Is it you|Is that you], {first_name}?",
        ),
        "confirm": (
            ("[OK|Alright|Right|Cool], [I'll|so I'll|I'd] SUMMARY. [Deal|OK|Sounds good|Shall I|Fine with you]?"),
            "[Just checking|Quick check][:|, {first_name}:] [I|we] SUMMARY - [yes or no|right|all good]?",
            "[Ready to|Good to go? I'd] SUMMARY[, just say yes|, ok|]?",
        ),
        "explain": (
            "[No worries|Don't worry|Easy][, {first_name}|] - WHERE.",
            "[Tip|Hint|Psst]: WHERE[. Got it| - found it|]?",
        ),
        "hold": (
            "[One sec|Hang on|Give me a moment|Just a tick][, {first_name}|][, on it|...|!]",
            "[Working on it|Let me do that|Doing that now][, {first_name}|][...|!]",
        ),
        "offer(plan)": (
            "[How about|We could do|What about] {plan}[ at {rate}| - {rate} each|][, ok|, does that help|]?",
            "{plan}[, so {rate} a month,|] [would work|is possible]. [Want that|Good for you]?",
        ),
        "offer(tariff)": (
            (
                "[Check out|How about|Our pick for you:|Have a look at] {tariff}[ - {price} a month| for "
                "{price}, {term}|][, want it|. Like it|. What do you say]?"
            ),
            ("{tariff} [fits|looks good|would be cheaper][, {term}|]. [Switch to it|Want that one|Is that it]?"),
        ),
        "offer(visit)": (
            (
                "[How about|We've got|What about|Free slot:] {visit}[, {technician} would come|][, ok|. "
                "Works|. Does that suit]?"
            ),
            "{technician} [can come|has time] {visit}. [Good|Want it|Shall I book]?",
        ),
        "offer(charger)": (
            (
                "[How about|Check out|Our pick:|We have] the {charger}[ for {price}| - {price}, here on "
                "{delivered_on}|][, want it|. Like it|. What do you say]?"
            ),
            "The {charger} [would fit|does the job][ and costs {price}|]. [That one|Shall we|Take it]?",
        ),
        "offer(callback)": (
            "[Want|Would you like] [someone|one of us|an expert] to [call|ring] you[ on {phone}|]?",
            "[Shall we|We can] [give you a call|call you back][ on {phone}|][, ok|]?",
        ),
        "offer(discount)": (
            (
                "[Aw, don't go.|Wait!|Hey, {first_name}.] [What if we drop the price|How about a discount] "
                "for [a year|twelve months]?"
            ),
            "[Would a better price|Would a discount] [keep you|make you stay]?",
        ),
        "offer(summary)": ("[Want|Shall I send] [it all|a recap|the details] [in a mail to {email}|by mail]?",),
        "notify_success": (
            "[Done|All done|All set|Sorted|There you go][, {first_name}|][!|.]",
            "[Great news|Good news|Yay][, {first_name}|]: [it worked|that's through|it's all set][!|.]",
        ),
        "notify_failure": (
            (
                "[Oh no|Hmm|Sorry|Bad news|Oops][, {first_name}|] - [that didn't work|no luck|it won't go "
                "through][, {cause}|: {cause}|]."
            ),
            "[That's a no from the system|It got refused|Can't do that][, sorry|][: {cause}| - {cause}|].",
        ),
        "notify_failure(find_customer)": (
            "[Hmm|Oops|Sorry], [can't find you|nobody here by that|no account with that][ yet|].",
            "[That doesn't match|Nothing comes up for that][, sorry|].",
        ),
        "notify_failure(no_other)": (
            "[Sorry|Hmm|Oh], that's [all we've got|everything there is|the last one][ right now|].",
        ),
        "notify_failure(nothing_found)": (
            "[Hmm|Strange|Sorry], [nothing shows up|I see nothing|there's nothing on our side][ here| yet|].",
        ),
        "req_more": (
            ("[Anything else|What else|Is that it|Something else][ we can do| on your mind|][, {first_name}|]?"),
            "[Can I|Can we] do [anything|something] else[ for you|]?",
        ),
        "goodbye": (
            "[Bye|Ciao|See you|Take care][, {first_name}|][!| and have a great day!| - enjoy your day!]",
            (
                "[Thanks for dropping by|Thanks for the chat|Glad we could help][, {first_name}|][!| - bye!| "
                "- see you!]"
            ),
        ),
    },
    requests=(
        "[What's|And what's|So what's] NOUN[, {first_name}|]?",
        "[Can|Could] you [send|type|drop|give] [me |us |]NOUN?",
        "[Mind|Would you mind] [sending|typing|giving] [me |us |]NOUN?",
        "[Just need|Still need|We need|Now I need] NOUN[ :)|!|.]",
        "[Send me|Give me|Type|Drop] NOUN[, please|, and we're good to go| when you can|].",
        "NOUN[, please|]?",
    ),
    informs=(
        "NOUN: VALUE[.|!|]",
        "[Looks like|I see|Here it says] NOUN is VALUE[.|!]",
        "[So, |OK, |]NOUN [is|would be|should be] VALUE[, {first_name}|].",
        "It's VALUE[, that's NOUN|].",
    ),
    openers=(
        "[Thanks|Thx|Cheers|Thank you][, {first_name}|]!",
        "[Great|Perfect|Super|Nice|Cool|Awesome|Lovely][!|, thanks!|, {first_name}!]",
        "[Got it|OK|Alright|Gotcha|Sure|Sure thing][, {first_name}|][!|.]",
    ),
    asides={
        "opening_hours": (
            "[We're here|This chat is on|You can write to us] [around the clock|day and night|24/7].",
            "[Always open|We never close|No closing time] [here|in the chat].",
        ),
        "costs": (
            "[It's|That's|All] free[, promise|, no worries|].",
            "[Doesn't cost a thing|Zero|No fee][, {first_name}|].",
        ),
        "time": (
            "[Usually|Mostly] [a day or two|done by tomorrow|a few minutes].",
            "[Quick|Won't be long]: [it takes a day|tomorrow at the latest].",
        ),
        "privacy": (
            "[It's just|We only need it] to [find your account|make sure it's you].",
            "[Your data stays with us|We share nothing][, {first_name}|][, promise|].",
        ),
        "person": (
            (
                "[Sure|I'm real|Fair enough], [someone can join|I'm a person|I'll get a teammate] [once we "
                "have the basics|if we get stuck]."
            ),
        ),
    },
)
"""The tone of the newer desk."""

"""How the agents of the older desk talk: formal, with titles, at length."""

from __future__ import annotations

from tasksieve.dialogs.simulate.support.tone import Tone

OLDER_TONE = Tone(
    acts={
        "greet": (
            (
                "[Good day|Good morning|Good afternoon|Hello] and welcome to [Hallmere Energy|the customer "
                "service of Hallmere]."
            ),
            "[Welcome to|Thank you for contacting] Hallmere Energy[, customer service|].",
            "[Good day|Hello], you have reached [the service desk|customer care] of Hallmere Energy.",
        ),
        "offer_help": (
            "[How|In what way] [may|can] I [help|assist] you[ today|]?",
            "What [can|may] I do for you[ today|]?",
            "[Please tell me|Would you tell me] what [this is about|I can do for you].",
        ),
        "confirm(last_name)": (
            "Am I [speaking|writing] with [{title} ]{last_name}?",
            "[Thank you.|] [Is that|Is it] {title} {last_name}?",
            "I have found the account of {title} {last_name}. Is that [you|right|correct]?",
        ),
        "confirm": (
            (
                "[May I confirm|Let me confirm|To be sure,|To summarise:] I [would|will|am going to] "
                "SUMMARY. [Is that correct|Is that right|Do you agree|May I proceed]?"
            ),
            ("[So you would like me to|You would like me to] SUMMARY, [is that correct|is that right|am I right]?"),
            "I [can|may] then SUMMARY. [Shall I go ahead|Do I have your consent|Is everything correct]?",
        ),
        "explain": (
            (
                "[No problem|That is no problem|Certainly][, {title} {last_name}|]: WHERE. [Could you have a "
                "look|Please take your time|Would you check|I will wait]?"
            ),
            "[Of course.|Let me explain.|] [You see, |To help you: ]WHERE.",
        ),
        "hold": (
            (
                "[One moment, please|Please hold on|Please bear with me][, {title} {last_name}|][, I am "
                "looking into it| while I enter that| while I do that|]."
            ),
            "[I am entering that|I will take care of that|I will do that for you] now[, one moment please|].",
            "[Thank you for your patience|This will take a moment][, I am on it|].",
        ),
        "offer(plan)": (
            (
                "[I could offer you|We can agree on|There would be] {plan}[ of {rate}| of {rate} each|]. "
                "[Would that suit you|Is that acceptable|Would you like that]?"
            ),
            "Would {plan}[, at {rate} each,|] [be possible for you|suit you]?",
        ),
        "offer(tariff)": (
            (
                "[I would suggest|I can recommend|There is] [our tariff|the tariff] {tariff}[ at {price} a "
                "month|, {term}|]. [Would that suit you|Shall I take that|Is that of interest]?"
            ),
            (
                "[Our|The] {tariff} [would fit well|might suit you|comes to mind][, it costs {price}|]. "
                "[Would you like it|What do you think]?"
            ),
        ),
        "offer(visit)": (
            (
                "[The next appointment is|I could offer you|We have something on|There is an appointment on] "
                "{visit}[ with {technician}|]. [Would that suit you|Shall I take it|Is that convenient]?"
            ),
            "Would {visit}[, with {technician},|] [be convenient|suit you|work for you]?",
        ),
        "offer(charger)": (
            (
                "[I would suggest|I can recommend|There is] the {charger}[ at {price}|, delivered on "
                "{delivered_on}|]. [Would that suit you|Shall I take that]?"
            ),
        ),
        "offer(callback)": (
            "[May|Shall] [I have a colleague|a specialist] [call you back|telephone you][ on {phone}|]?",
            (
                "[If you wish,|I can arrange that] a colleague [will call|calls] you[ on {phone}|][, would "
                "you like that|]?"
            ),
        ),
        "offer(discount)": (
            (
                "[Before you leave|To keep you as a customer], [may I offer|I can offer] you [a better "
                "price|a discount] for [the next|another] year?"
            ),
            (
                "[We would be sorry to lose you.|] [Would a discount|Might a lower price] [change your "
                "mind|convince you to stay]?"
            ),
        ),
        "offer(summary)": ("[Shall|May] I send you [all this|a summary|a confirmation] [to {email}|by e-mail]?",),
        "notify_success": (
            (
                "[That has been done|It is done|Everything is settled|That is arranged|I have completed "
                "that][, {title} {last_name}|]."
            ),
            (
                "[Thank you for waiting.|Thank you for your patience.|] [I was able to|I have been able to] "
                "[do that|arrange everything|complete it][, {title} {last_name}|]."
            ),
        ),
        "notify_failure": (
            (
                "[I am sorry|Unfortunately|I regret to say][, {title} {last_name}|], [that is not "
                "possible|this could not be done|the system refuses it][: {cause}|, as {cause}|]."
            ),
            (
                "[I am afraid that|Unfortunately] [this was refused|it did not work|I cannot do that][, "
                "because {cause}|: {cause}|]."
            ),
        ),
        "notify_failure(find_customer)": (
            (
                "[I am sorry, but|Unfortunately] I [cannot find|do not find] [an account|a customer] with "
                "[these details|that]."
            ),
            "[Regrettably|I am afraid] there is no [account|contract] under [these details|this].",
        ),
        "notify_failure(no_other)": (
            (
                "[I am sorry, but|Unfortunately] [I have nothing else|there is nothing else|that was the "
                "last one] [to offer|available]."
            ),
        ),
        "notify_failure(nothing_found)": (
            (
                "[I am sorry, but|Unfortunately] [nothing is on record|I do not find anything|there is no "
                "entry][ in our system| about it|]."
            ),
        ),
        "req_more": (
            (
                "[Is there anything else|Is there something else|May there be anything else] [I can do for "
                "you|I can help you with|I may assist you with]?"
            ),
            "[Can|May] I [help you with|do] anything [else|further] [today|for you]?",
            "Do you have [any other|another] [question|concern|request][, {title} {last_name}|]?",
        ),
        "goodbye": (
            (
                "[Thank you for contacting|Thank you for your call to|We thank you for choosing] Hallmere "
                "Energy[, {title} {last_name}|]. [Goodbye|Have a pleasant day|Good day][!|.]"
            ),
            (
                "[You are welcome|It was a pleasure|My pleasure][, {title} {last_name}|]. [Goodbye|Have a "
                "pleasant day|I wish you a good day|All the best]."
            ),
        ),
    },
    requests=(
        "[Could|May|Might] I [please |kindly |][have|ask for] NOUN[, please|]?",
        "[Please tell me|Could you tell me|Would you give me|Kindly let me know] NOUN[ please|].",
        "I [will need|would need|need|also need|require] NOUN[ for that| for this| to continue| next|].",
        "[For that|For this|To continue|To proceed|Next], [I need|please give me|may I have] NOUN.",
        "[What would be|And what is|May I ask for] NOUN?",
    ),
    informs=(
        "NOUN is VALUE.",
        "[According to our records|As I see here|In our system|I can see that] NOUN is VALUE.",
        "[I can tell you that|It says here that] NOUN is VALUE.",
        "NOUN[, {title} {last_name},|] [stands at|would be|is given as] VALUE.",
    ),
    openers=(
        "[Thank you|Thank you very much|Many thanks][, {title} {last_name}|].",
        "[Certainly|Of course|Very well|Gladly|I see|I understand][, {title} {last_name}|].",
        "[I have noted that|Noted|I have entered that|That is noted][, thank you|].",
    ),
    asides={
        "opening_hours": (
            (
                "[Our offices|Our desks|We] are open [on weekdays|from Monday to Friday] [between eight and "
                "six|from eight to six]."
            ),
            (
                "[You can reach us|Our service is available] every weekday [until six in the evening|from "
                "eight onwards]."
            ),
        ),
        "costs": (
            "[This service is|That is|It is] free of charge[ for our customers|].",
            "[There is no charge|No costs arise|We do not charge anything] for [that|this].",
        ),
        "time": (
            "[That usually takes|It will take|Please allow] [two to three|about three|a few] working days.",
            "[As a rule|Normally] it is done [within a week|within three working days].",
        ),
        "privacy": (
            "[Your details|Your data] are [used for this purpose only|kept safe|handled confidentially].",
            (
                "[We need it|I ask] only [to be sure it is you|to identify you], [nothing is passed on|for "
                "your safety]."
            ),
        ),
        "person": (
            (
                "[I understand.|] [A colleague|A member of our team] will [take over|be with you] [once|as "
                "soon as] [I have all details|this is noted]."
            ),
        ),
    },
)
"""The tone of the older desk."""

"""How an errand is carried out once the customer is known: questions, answers of tools, a choice, a change."""

from __future__ import annotations

from tasksieve.dialogs.act import Act
from tasksieve.dialogs.simulate.support import user_wording as users
from tasksieve.dialogs.simulate.support.errand import Errand
from tasksieve.dialogs.simulate.support.fields import FIELDS
from tasksieve.dialogs.simulate.support.scene import Scene
from tasksieve.dialogs.simulate.support.slots import SLOTS
from tasksieve.dialogs.simulate.support.tools import NOT_FOUND, changed, looked_up

_DOES_NOT_KNOW, _ASKS_ASIDE, _GIVES_NEXT = 0.08, 0.08, 0.15
_TAKES, _ASKS_FIELD, _CHANGES_MIND, _REFUSED, _STAYS, _ACCEPTS = 0.5, 0.35, 0.2, 0.2, 0.3, 0.5
_WHIM = 0.04  # how likely an agent does not what the policy has

_KNOWN_BY = ("customer_number",)
_IN_CALL = ("contract_number",)


def carry_out(scene: Scene, errand: Errand) -> bool:
    """From the first question to the result. Returns whether the user was asked at the end if there is more."""
    scene.forget((*errand.tells, *errand.asides, errand.offers, "cause", "reference", "effective_on"))
    scene.failed = False
    if errand.offers:
        _collect(scene, errand, [])
        return _change(scene, errand, []) if _choose(scene, errand) else _end_refused(scene, "no_other")
    found = True
    tells: list[Act] = []
    if errand.look_up and scene.policy.looks_up_first:
        found, tells = _look_up(scene, errand)
        if errand.change and not (errand.unless_found and found):
            tells = _collect(scene, errand, tells)
    else:
        _collect(scene, errand, [])
        if errand.look_up:
            found, tells = _look_up(scene, errand)
    if not errand.change or (errand.unless_found and found):
        return _tell_and_end(scene, errand, tells)
    if tells and found:
        scene.respond(*tells)
        _ask_field(scene, errand)
        scene.say(users.GOES_ON)
        tells = []
    if errand.change == "cancel_contract" and scene.policy.retains and _retain(scene):
        return False
    return _change(scene, errand, tells)


def _look_up(scene: Scene, errand: Errand) -> tuple[bool, list[Act]]:
    """Ask the tool. Returns whether it found anything, and what is to be told."""
    scene.call(errand.look_up, (*_KNOWN_BY, *(slot for slot in errand.slots if slot in scene.given)))
    record = looked_up(errand.look_up, scene.situation)[0]
    scene.answer(record)
    if dict(record.flat()).get("status") == NOT_FOUND:
        return False, [Act("notify_failure", "nothing_found")]
    tells = errand.tells if scene.policy.tells_all else errand.tells[:1]
    return True, [Act("inform", field) for field in tells]


def _collect(scene: Scene, errand: Errand, tells: list[Act]) -> list[Act]:
    """Ask for all slots that are not given, telling first what is to be told. Returns what is still to be told."""
    slots = errand.slots[::-1] if scene.policy.backwards else errand.slots
    for place, slot in enumerate(slots):
        if slot in scene.given:
            continue
        question = Act("request", slot)
        scene.respond(*tells, question, opens=not tells)
        tells = []
        _interpose(scene, question)
        following = [name for name in slots[place + 1 :] if name not in scene.given]
        if following and scene.chance(_GIVES_NEXT):
            scene.say([f"{{{slot}}}"], [SLOTS[following[0]].phrase])
        else:
            scene.give(slot)
    return tells


def _interpose(scene: Scene, question: Act) -> None:
    """The user may not know what is asked for, or ask something aside, before the answer."""
    again = [question] if scene.policy.asks_again else []
    if scene.chance(_DOES_NOT_KNOW):
        scene.say(users.DOES_NOT_KNOW)
        scene.respond(Act("explain", question.slot), *again)
    elif scene.chance(_ASKS_ASIDE):
        topic = scene.rng.choice(list(users.ASIDES))
        scene.say(users.ASIDES[topic])
        scene.respond(Act("inform", topic), *again)


def _choose(scene: Scene, errand: Errand) -> bool:
    """Look options up and offer one by one until the user takes one. Returns whether one was taken."""
    scene.call(errand.look_up, (*_KNOWN_BY, *errand.slots))
    options = looked_up(errand.look_up, scene.situation)
    scene.answer(*options)
    for number, option in enumerate(options):
        scene.look_at(option)
        scene.respond(Act("offer", errand.offers), opens=number > 0)
        _ask_field(scene, errand)
        if scene.chance(_TAKES):
            scene.say(users.TAKES)
            return True
        scene.say(users.REJECTS)
    return False


def _ask_field(scene: Scene, errand: Errand, *more: Act) -> None:
    """The user may ask for something that a record tells."""
    fields = [field for field in errand.asides if field in scene.known]
    if fields and scene.chance(_ASKS_FIELD):
        field = scene.rng.choice(fields)
        scene.say(FIELDS[field][1])
        scene.respond(Act("inform", field), *more)


def _tell_and_end(scene: Scene, errand: Errand, tells: list[Act]) -> bool:
    more = [Act("req_more")] if scene.policy.asks_more else []
    scene.respond(*tells, *more, opens=not tells)
    _ask_field(scene, errand, *more)
    return bool(more)


def _retain(scene: Scene) -> bool:
    """Offer a discount to who wants to leave. Returns whether they stay."""
    scene.respond(Act("offer", "discount"))
    if not scene.chance(_STAYS):
        scene.say(users.INSISTS)
        return False
    scene.say(users.STAYS)
    scene.call("grant_discount", ("contract_number",))
    scene.answer(changed("grant_discount", scene.situation))
    scene.respond(Act("notify_success"), Act("inform", "reference"))
    return True


def _change(scene: Scene, errand: Errand, before: list[Act]) -> bool:
    """Confirm, call the tool and say how it went. Returns whether the user was asked if there is more."""
    policy, whim = scene.policy, scene.chance(_WHIM)
    if policy.confirms != whim:
        scene.respond(*before, Act("confirm"), errand=errand)
        _change_mind(scene, errand)
    elif before:
        scene.respond(*before)
    if policy.holds:
        scene.respond(Act("hold"))
    scene.call(errand.change, (*_KNOWN_BY, *_IN_CALL, *errand.slots, errand.offers))
    refused = scene.rng.choice(errand.refusals) if scene.chance(_REFUSED) else ""
    scene.answer(changed(errand.change, scene.situation, refused=refused))
    if refused:
        return _end_refused(scene)
    more = [Act("req_more")] if policy.asks_more else []
    scene.respond(Act("notify_success"), *([Act("inform", "reference")] if policy.refers else []), *more)
    asides = [field for field in ("reference", "effective_on") if field in scene.known]
    if scene.chance(_ASKS_FIELD / 2):
        field = scene.rng.choice(asides)
        scene.say(FIELDS[field][1])
        scene.respond(Act("inform", field), *more)
    return bool(more)


def _change_mind(scene: Scene, errand: Errand) -> None:
    """The user agrees to what is confirmed, at once or after changing one slot."""
    if errand.slots and scene.chance(_CHANGES_MIND):
        slot = scene.rng.choice(errand.slots)
        scene.wish([slot])
        scene.give(slot, templates=users.CHANGES)
        if not scene.policy.asks_again:
            return
        scene.respond(Act("confirm"), opens=True, errand=errand)
    scene.say(users.YES)


def _end_refused(scene: Scene, why: str = "") -> bool:
    """Say that it cannot be done, and offer a call back. Returns whether the user was asked if there is more."""
    scene.failed = True
    failed = Act("notify_failure", why)
    if not scene.policy.calls_back:
        scene.respond(failed)
        return False
    scene.respond(failed, Act("offer", "callback"))
    if not scene.chance(_ACCEPTS):
        scene.say(users.REFUSES)
        scene.respond(Act("req_more"))
        return True
    scene.say(users.ACCEPTS)
    scene.call("book_callback", (*_KNOWN_BY, "phone"))
    scene.answer(changed("book_callback", scene.situation))
    scene.respond(Act("notify_success"), Act("req_more"))
    return True

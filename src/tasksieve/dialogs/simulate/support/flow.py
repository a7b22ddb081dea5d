"""How a dialog at a desk goes, from the greeting to the goodbye, as its service's policy has it."""

from __future__ import annotations

import random

from tasksieve.dialogs.act import Act
from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.record import Record
from tasksieve.dialogs.simulate.support import user_wording as users
from tasksieve.dialogs.simulate.support.carrying_out import carry_out
from tasksieve.dialogs.simulate.support.customers import Customer
from tasksieve.dialogs.simulate.support.desks import Desk
from tasksieve.dialogs.simulate.support.errand import Errand
from tasksieve.dialogs.simulate.support.errands import SERVICES
from tasksieve.dialogs.simulate.support.scene import Scene
from tasksieve.dialogs.simulate.support.slots import SLOTS
from tasksieve.dialogs.simulate.support.tools import NOT_FOUND, SUCCESS, changed

_GREETS_ALONE, _GIVES_SLOT, _GIVES_NUMBER = 0.3, 0.15, 0.12
_HAS_NOT, _GIVES_NEXT, _MISTYPES = 0.15, 0.2, 0.12
_ANOTHER_ERRAND, _WANTS_RECAP = 0.15, 0.5


def play(desk: Desk, service: str, customer: Customer, rng: random.Random) -> Dialog:
    """One dialog.

    Args:
        desk: at which desk.
        service: of which service.
        customer: who writes.
        rng: the only source of chance.
    """
    scene = Scene(desk, desk.policies[service], customer, rng)
    errands = rng.sample(list(SERVICES[service].values()), min(2, len(SERVICES[service])))
    first, *others = errands
    scene.wish(first.slots)
    greeted = _open(scene, first)
    _identify(scene, [] if greeted or not scene.policy.greets else [Act("greet")])
    asked = carry_out(scene, first)
    for errand in others:
        if not scene.chance(_ANOTHER_ERRAND):
            break
        if not asked:
            scene.say(users.RESIGNS if scene.failed else users.THANKS)
            scene.respond(Act("req_more"))
        scene.wish(errand.slots)
        scene.say([f"{more}{opening}" for more in users.ONE_MORE for opening in errand.openings])
        asked = carry_out(scene, errand)
    _close(scene, asked)
    return scene.dialog


def _open(scene: Scene, errand: Errand) -> bool:
    """The user says what it is about, after a greeting or with it. Returns whether the agent has greeted."""
    given = [slot for slot in errand.slots if scene.chance(_GIVES_SLOT)]
    if scene.chance(_GIVES_NUMBER):
        given.append(scene.policy.identify[0])
    added = [[SLOTS[slot].phrase] for slot in given]
    if scene.chance(_GREETS_ALONE):
        scene.say(users.GREETINGS)
        scene.respond(Act("greet"), Act("offer_help"))
        scene.say(errand.openings, *added)
        return True
    if scene.chance(0.6):
        scene.say(users.GREETINGS[:1], errand.openings, *added)
    else:
        scene.say(errand.openings, *added)
    return False


def _identify(scene: Scene, acts: list[Act]) -> None:
    """Ask for what the customer is known by, look the account up, and have the name confirmed."""
    fields = [*scene.policy.identify]
    for number, slot in enumerate(scene.policy.identify):
        if slot in scene.given:
            continue
        scene.respond(*acts, Act("request", slot), opens=not acts)
        acts = []
        if number == 0 and scene.chance(_HAS_NOT):
            scene.say(users.HAS_NOT)
            fields[0] = slot = scene.policy.instead
            if slot in scene.given or slot in fields[1:]:
                continue
            scene.respond(Act("request", slot))
        _give_identity(scene, slot, fields[number + 1 :])
    if acts:
        scene.respond(*acts)
    _find_customer(scene, list(dict.fromkeys(fields)))
    if scene.policy.texts_code:
        scene.call("send_code", ("customer_number", "phone"))
        scene.answer(Record.of("SendCode", {"status": SUCCESS}))
        scene.wish(["code"])
        scene.respond(Act("request", "code"))
        scene.give("code")
    if scene.policy.verifies:
        scene.respond(Act("confirm", "last_name"))
        scene.say(users.IS_ME)


def _give_identity(scene: Scene, slot: str, following: list[str]) -> None:
    if slot in ("customer_number", "email") and scene.chance(_MISTYPES):
        scene.give(slot, wrong=_mistyped(scene.wishes[slot]))
    elif following and scene.chance(_GIVES_NEXT):
        scene.say([f"{{{slot}}}[,| and] {SLOTS[following[0]].phrase}"])
    else:
        scene.give(slot)


def _mistyped(value: str) -> str:
    """A value without its third character."""
    return value[:2] + value[3:]


def _find_customer(scene: Scene, fields: list[str]) -> None:
    scene.call("find_customer", fields)
    wrong = next((slot for slot in fields if scene.known[slot] != scene.wishes[slot]), "")
    if wrong:
        scene.answer(Record.of("Customer", {"status": NOT_FOUND}))
        scene.respond(Act("notify_failure", "find_customer"), Act("request", wrong))
        scene.give(wrong, templates=users.CORRECTS)
        scene.call("find_customer", fields)
    scene.answer(Record.of("Customer", {"status": "active", **scene.customer.fields}))


def _close(scene: Scene, asked: bool) -> None:
    """From the user's thanks to the goodbye."""
    if not asked:
        scene.say(users.RESIGNS if scene.failed else users.THANKS)
        if scene.policy.recaps:
            _recap(scene)
            return
        scene.respond(Act("req_more"))
    scene.say(users.NOTHING_MORE)
    scene.respond(Act("goodbye"))


def _recap(scene: Scene) -> None:
    """Offer a summary by e-mail, send it if it is wanted, and say goodbye."""
    scene.respond(Act("offer", "summary"))
    if not scene.chance(_WANTS_RECAP):
        scene.say(users.REFUSES)
        scene.respond(Act("goodbye"))
        return
    scene.say(users.ACCEPTS)
    scene.call("send_summary", ("email",))
    scene.answer(changed("send_summary", scene.situation))
    scene.respond(Act("notify_success"), Act("goodbye"))

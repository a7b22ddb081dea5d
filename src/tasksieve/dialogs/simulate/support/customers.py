"""Customers: no two dialogs of one seed have the same."""

from __future__ import annotations

import random
from dataclasses import dataclass


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_WOMEN = (
    *_words(
        """
    Ada Aisha Amara Anneke Aurelia Beatrix Carmen Chiara Cosima Deepa Dilara Efua Eileen Elif Femke Fiona Gisela
    Greta Hanna Ilse Imani Isolde Jadwiga Joana Kalinka Katja Lale Leila Lidia Ljuba Malin Marisol Meera Nadira
    Nuria Odile Orla Paloma Petra Rafaela Rosalind Sabine Samira Selma Sigrid Simone Sofie Tamsin Thandiwe Tilda
    Ulrike Vera Wanda Xenia Yara Zeynep"""
    ),
    "Anna Lena",
    "Maria Jose",
    "Mary Ann",
    "Eva Maria",
)
_MEN = (
    *_words(
        """
    Alban Anton Bashir Bela Bjarne Cedric Dario Edvard Emeka Enzo Farid Florin Goran Hamid Henrik Ingmar Ivo Jamal
    Jarek Jonas Karim Kenji Kofi Lambert Lennart Linus Lorenz Magnus Mahdi Marek Mateo Mirko Nils Olek Oskar Pavel
    Quentin Ragnar Ravi Ruben Sanjay Sergio Soren Tarek Tomasz Umar Valentin Viggo Wenzel Yusuf Zacharias"""
    ),
    "Jean Luc",
    "Karl Heinz",
    "Hans Peter",
    "Jan Willem",
)
FIRST_NAMES = (*_WOMEN, *_MEN)
LAST_NAMES = (
    *_words(
        """
    Abendroth Achterberg Adeyemi Almqvist Anwari Ashdown Bakker Barsotti Behrendt Bellweather Bogdanov Brandvold
    Calloway Cavendish Chaudhry Cifuentes Clausnitzer Corvino Dalgaard Deschamps Dimitrova Dunmore Ebersbach Eklund
    Ellingham Escobedo Fairweather Falkenrath Farrugia Fitzgibbon Fontaine Gallardo Gebremariam Goldbach Grigoriou
    Grunewald Haaland Hadjiev Hathaway Heidenreich Hollingworth Horvath Ibarra Ilyasova Isaksen Jankowski Jessop
    Jovanovic Kaczmarek Kalogeras Katzenberg Kirchhoff Kowalczyk Kvist Lachapelle Langerud Leclerc Lindqvist Lockridge
    Lundgaard Mahlangu Marchetti Mbeki Merriweather Mikkelsen Montanari Mwangi Nakashima Navarrete Neumeister Nordahl
    Novotny Oberholzer Okonjo Olander Ostrowski Pakkala Paternoster Petrescu Pfefferkorn Pickersgill Quiroga Radcliffe
    Rasmussen Reinholt Rosenquist Rutherford Saavedra Salvatierra Scheffler Sedgwick Sinclair Skovgaard Sokolova
    Stavros Steinhauer Sundaram Szabo Tamarin Terblanche Thorvald Tiedemann Trevelyan Ullmann Vandermeer Varga
    Vesterby Villanueva Wachsmuth Waverley Wexford Wiersma Winterbourne Yamashiro Yilmaz Zamora Zielinski"""
    ),
    "van den Berg",
    "de la Fuente",
    "von Arnsberg",
    "El Amrani",
    "O'Hanlon",
    "St. Clair",
    "dos Reis",
    "ter Horst",
)
STREETS = _words(
    """
    Mill Larch Harbour Station Orchard Chapel Foundry Meadow Weaver Linden Quarry Tanner Heron Saddler Juniper
    Cooper Lantern Willow Bridge Granary"""
)
STREET_ENDS = ("Street", "Lane", "Road", "Close", "Row", "Hill", "Way", "Court")
TOWNS = _words(
    """
    Alderwick Brackenford Coldharbour Dunsmere Eastleach Fernhollow Greywater Harrowgate Inverholm Kestrelby Lowmoor
    Marlbeck Netherby Oakhaven Penwick Ravensholt Saltmarsh Thornbury Upwell Westerby"""
)
MAIL_HOSTS = ("postbox.example", "inbox.example", "fastmail.example", "webpost.example", "letterbox.example")

PLAIN_NAMES = len(FIRST_NAMES) * len(LAST_NAMES)
MOST = PLAIN_NAMES * len(LAST_NAMES)
"""How many customers there are at most."""
_NUMBERS = 10**8


@dataclass(frozen=True, slots=True)
class Customer:
    """Who writes to the desk, as its records know it."""

    title: str
    first_name: str
    last_name: str
    customer_number: str
    contract_number: str
    meter_number: str
    email: str
    phone: str
    address: str
    postcode: str

    @property
    def fields(self) -> dict[str, str]:
        """The fields of the record ``Customer``."""
        names = ("customer_number", "title", "first_name", "last_name", "email", "phone", "address", "postcode")
        return {name: getattr(self, name) for name in names}


def customer(serial: int, seed: int, rng: random.Random) -> Customer:
    """The customer of a serial number: name and all numbers are of that one alone.

    Args:
        serial: from 0, less than :data:`MOST`.
        seed: of the simulation; other seeds give the numbers in another order.
        rng: for what customers may share: title, street, host.
    """
    first, last = _name(serial, seed)
    number = (serial * 61_803_399 + seed * 7_919 + 31_415_927) % _NUMBERS
    digits = f"{number:08d}"
    plain = "".join(letter for letter in f"{first}.{last}".lower() if letter.isalpha() or letter == ".")
    host = rng.choice(MAIL_HOSTS)
    return Customer(
        title="Dr" if rng.random() < 0.1 else "Ms" if first in _WOMEN else "Mr",
        first_name=first,
        last_name=last,
        customer_number=digits,
        contract_number=f"C-{(number * 7 + 1_000_003) % _NUMBERS:08d}",
        meter_number=f"{rng.choice('1578')}EMH{(number * 3 + 17) % _NUMBERS:08d}",
        email=f"{plain}{digits[-2:]}@{host}",
        phone=f"0{rng.choice('17')}{rng.choice('5679')}{(number * 9 + 271_828) % _NUMBERS:08d}",
        address=new_address(rng),
        postcode=f"{rng.randint(10_000, 99_999)}",
    )


def new_address(rng: random.Random) -> str:
    """A street, a number and a town."""
    return f"{rng.randint(1, 148)} {rng.choice(STREETS)} {rng.choice(STREET_ENDS)}, {rng.choice(TOWNS)}"


def _name(serial: int, seed: int) -> tuple[str, str]:
    """The name of a serial number; beyond the plain ones, last names are double."""
    block, place = divmod(serial, PLAIN_NAMES)
    # 7,919 is a prime that divides no number of names, so the step visits every name once
    first, last = divmod((place * 7_919 + seed) % PLAIN_NAMES, len(LAST_NAMES))
    name = LAST_NAMES[last]
    if block:
        name = f"{name}-{LAST_NAMES[(last + block) % len(LAST_NAMES)]}"
    return FIRST_NAMES[first], name

"""What the demo film shows, says and is asked: the script that `demo_film` makes."""

from __future__ import annotations

from typing import Literal, NamedTuple


class View(NamedTuple):
    """A window on a photograph, 16:9, in shares of the photograph's width and height."""

    x: float
    """Middle of the window, 0 left to 1 right."""
    y: float
    """Middle of the window, 0 top to 1 bottom."""
    across: float
    """Width of the window."""


class Pan(NamedTuple):
    """A camera that glides over a photograph."""

    photo: str
    """Name of a function in `skimage.data`."""
    start: View
    end: View


class Card(NamedTuple):
    """A title card."""

    title: str
    subtitle: str


class Shot(NamedTuple):
    """What is between two cuts."""

    name: str
    """What it shows. Shots that show the same thing share a name."""
    seconds: float
    picture: Pan | Card
    lines: tuple[str, ...] = ()
    """Spoken while it is shown."""


class Question(NamedTuple):
    """What may be asked of the film."""

    query: str
    kind: Literal["single", "heard", "read", "repeated", "absent"]
    about: str = ""
    """The name of the shots, or the spoken line, that answer it; nothing answers an absent one."""


RECIPE = "The recipe calls for two eggs and a pinch of salt."
FERRY = "The ferry leaves the harbour at seven."

SHOTS = (
    Shot("opening", 5, Card("A QUIET MORNING", "eight photographs")),
    Shot(
        "cat",
        9,
        Pan("chelsea", View(0.5, 0.5, 0.98), View(0.47, 0.36, 0.66)),
        ("The house is still asleep. Only the cat is awake, and she is watching the door.",),
    ),
    Shot(
        "coffee",
        12,
        Pan("coffee", View(0.42, 0.40, 0.66), View(0.52, 0.5, 0.94)),
        (
            "A cup of coffee stands on the wooden table, short and strong, "
            "with a small spoon at its side.",
        ),
    ),
    Shot(
        "wall",
        11,
        Pan("brick", View(0.5, 0.36, 0.6), View(0.5, 0.62, 0.6)),
        ("Behind this brick wall, someone is baking.", RECIPE),
    ),
    Shot("chapter two", 5, Card("CHAPTER TWO", "out in the park")),
    Shot(
        "photographer",
        13,
        Pan("camera", View(0.5, 0.62, 0.98), View(0.46, 0.34, 0.74)),
        ("In the park, a man in a long coat is waiting for the right light.",),
    ),
    Shot("cat", 8, Pan("chelsea", View(0.40, 0.54, 0.7), View(0.6, 0.5, 0.7))),
    Shot(
        "path",
        12,
        Pan("gravel", View(0.40, 0.5, 0.6), View(0.60, 0.5, 0.6)),
        ("Nothing moves on the path this early.", FERRY),
    ),
    Shot("night sky", 5, Card("THE NIGHT SKY", "far from home")),
    Shot(
        "rocket",
        14,
        Pan("rocket", View(0.5, 0.5, 0.98), View(0.5, 0.5, 0.6)),
        ("A rocket stands on the launch pad, lit up against the evening sky.",),
    ),
    Shot(
        "astronaut",
        10,
        Pan("astronaut", View(0.45, 0.62, 0.88), View(0.42, 0.3, 0.8)),
        ("The commander smiles, with her helmet at her side. Soon she will go up.",),
    ),
    Shot(
        "galaxies",
        14,
        Pan("hubble_deep_field", View(0.4, 0.6, 0.6), View(0.6, 0.4, 0.6)),
        ("Every one of these small lights is a galaxy, and each galaxy holds billions of stars.",),
    ),
    Shot("cat", 9, Pan("chelsea", View(0.62, 0.55, 0.62), View(0.5, 0.5, 0.98))),
    Shot("the end", 4, Card("THE END", "thank you for watching")),
)

QUESTIONS = (
    Question("a cup of coffee on a wooden table", "single", "coffee"),
    Question("a photographer with a camera on a tripod", "single", "photographer"),
    Question("a rocket on the launch pad", "single", "rocket"),
    Question("a cat looking around", "repeated", "cat"),
    Question("the ferry leaves the harbour at seven", "heard", FERRY),
    Question("a recipe with two eggs and a pinch of salt", "heard", RECIPE),
    Question('the words "CHAPTER TWO" on the screen', "read", "chapter two"),
    Question("a title card that says THE NIGHT SKY", "read", "night sky"),
    Question("a giraffe eating leaves", "absent"),
    Question("people dancing at a wedding", "absent"),
    Question("a train arriving at a station", "absent"),
)

CREDITS = """\
# Credits of the demo film

The photographs come with scikit-image, where each function's documentation states its licence.
The narration was spoken by a program ({voice}) and belongs to this project, like the
title cards; both carry the project's own licence.

| picture | from `skimage.data` | by | licence |
|---|---|---|---|
| a cat | `chelsea` | Stefan van der Walt | CC0 |
| a cup of coffee | `coffee` | Rachel Michetti, courtesy of Pikolo Espresso Bar | CC0 |
| a brick wall | `brick` | CC0Textures, Bricks25 | CC0 |
| a photographer | `camera` | Lav Varshney | CC0 |
| a gravel path | `gravel` | CC0Textures, Gravel04 | CC0 |
| a rocket | `rocket` | SpaceX | public domain |
| an astronaut | `astronaut` | NASA | public domain |
| galaxies | `hubble_deep_field` | NASA, Hubble Space Telescope | public domain |
"""

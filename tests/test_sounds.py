"""Which sounds a question means."""

import pytest

from vmr_agent.sounds import FAMILIES, meant

OURS = tuple(name for family in FAMILIES for name in family)
# A few of AudioSet's, as its models call them.
AUDIOSET = (
    *("speech", "male speech, man speaking", "inside, small room", "silence", "noise"),
    *("dog", "bark", "cat", "bird", "bird vocalization, bird call, bird song", "crowd"),
    *("laughter", "baby cry, infant cry", "crying, sobbing", "singing", "music", "piano"),
    *("vehicle", "car", "vehicle horn, car horn, honking", "train", "train horn", "engine"),
    *("gunshot, gunfire", "explosion", "applause", "clapping", "cheering", "telephone"),
    *("rain", "rain on surface", "thunder", "thunderstorm", "knock", "drill", "water", "bell"),
)


def names(classes: tuple[str, ...], text: str) -> list[str]:
    return [classes[index] for index in meant(classes, text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a dog barks at the postman", "dog barking, dog howling"),
        ("the audience claps", "applause"),
        ("people applaud", "applause"),
        ("a crowd cheers", "crowd cheering"),
        ("somebody laughs out loud", "laughter"),
        ("a woman sings", "singing, choir singing"),
        ("a bird singing in a tree", "bird chirping"),
        ("a shot is fired", "gunshot"),
        ("shots ring out", "gunshot"),
        ("a car honks", "car horn"),
        ("a phone rings", "telephone ringing"),
        ("the doorbell rings", "doorbell"),
        ("glass breaks", "glass breaking"),
        ("a baby is crying", "baby crying"),
        ("footsteps on the stairs", "footsteps"),
        ("typing on a keyboard", "keyboard typing"),
        ("knocking at the door", "knocking"),
        ("we hear a train", "train"),
        ("the sound of a car", "car passing"),
        ("thunder and rain", "thunder, rain"),
        ("a choir sings while bells chime", "singing, choir singing, bell ringing"),
    ],
)
def test_what_is_asked_for(text: str, expected: str) -> None:
    assert names(OURS, text) == expected.split(", ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a dog barks", ["dog", "bark"]),
        ("a bird singing", ["bird", "bird vocalization, bird call, bird song"]),
        ("a woman singing", ["singing"]),
        ("hear a man laughing", ["laughter"]),
        ("the noise of a train", ["train"]),
        ("the sound of the train's horn", ["train horn"]),
        ("a baby cries", ["baby cry, infant cry"]),
        ("the sound of a car", ["car"]),
        ("the sound of water", ["water"]),
        ("drilling", ["drill"]),
        ("a storm with thunder", ["thunder", "thunderstorm"]),
        ("a loud explosion", ["explosion"]),
        ("a man plays the piano", ["piano"]),
    ],
)
def test_classes_of_audioset(text: str, expected: list[str]) -> None:
    assert names(AUDIOSET, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("a dog runs on the beach", "a train arrives at the station", "a small room", ""),
        *("a close-up shot of a dog", "a wide shot of a fire", "a close shot of a wedding ring"),
        *("a gun on a table", "a house on fire", "a type of dog", "a drill on a bench"),
        *("a boxer is knocked out", "a toll road", "a man speaking about taxes", "a loud noise"),
        *("a car", "he rings his mother", "nothing but silence"),
    ],
)
def test_what_is_seen_or_said_is_no_sound(text: str) -> None:
    assert names(OURS, text) == names(AUDIOSET, text) == []


@pytest.mark.parametrize("name", OURS)
def test_every_sound_can_be_asked_for_by_its_name(name: str) -> None:
    assert name in names(OURS, f"the sound of {name}")


def test_without_a_tagger_nothing_is_meant() -> None:
    assert meant((), "a dog barks") == ()


def test_case_and_form_do_not_matter() -> None:
    for text in ("DOGS BARKING", "the dog's bark", "dogs that barked"):
        assert names(OURS, text)[0] == "dog barking"

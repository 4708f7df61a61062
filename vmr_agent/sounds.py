"""Words for sounds: what a tagger may be asked for, and which of its classes a question means."""

from __future__ import annotations

from collections.abc import Sequence

from vmr_agent.words import content, stem, tokens

Pattern = frozenset[str]

FAMILIES = tuple(
    tuple(line.strip().split(", "))
    for line in """
    dog barking, dog howling
    cat meowing
    bird chirping, rooster crowing, crow cawing, duck quacking
    horse hooves, horse neighing
    cow mooing, sheep bleating
    lion roaring
    insects buzzing
    applause, crowd cheering
    laughter
    crying, baby crying
    screaming, shouting
    singing, choir singing
    coughing, sneezing
    snoring
    whispering
    whistling
    music, piano music, guitar music, drums, violin music, trumpet music, flute music
    engine, car passing, motorcycle, tractor
    train, train horn
    helicopter, aeroplane
    boat horn, car horn
    siren, alarm, beep
    telephone ringing, bell ringing, doorbell
    gunshot, explosion, fireworks
    thunder
    rain
    wind
    water, waves, splash
    fire crackling
    footsteps
    door slamming, knocking, door creaking
    glass breaking
    clock ticking
    keyboard typing
    camera clicking
    hammering, drilling, chainsaw
    vacuum cleaner
    """.strip().splitlines()
)
"""Everyday sounds, for a tagger without classes of its own. Those of one line are alike, and a
tagger may take one for another."""

WORDS = frozenset(
    """applause bang bark barking barks beep bell boom buzz cheer cheering clap clapping crash
    crying explosion laugh laughing laughter loud music noise noisy quiet ring ringing roar scream
    screaming shout shouting silence silent sing singing siren song sound sounds speech talking
    thunder voice voices whistle""".split()
)
"""What a question about a sound has in it."""

ALOUD = frozenset(
    "sound sounds noise noises noisy hear hears heard hearing audible audio listen loud".split()
)
"""Words that turn a thing into its sound: a train is seen, the sound of a train is not."""
AS_THEY_ARE = frozenset("drilling fired hammering ringing rings typing".split())
"""Words whose stems mean something that is seen: a drill, a fire, a hammer, a ring, a type."""
_SOUND = "sound"


def _root(word: str) -> str:
    return word if word in AS_THEY_ARE else stem(word)


def _patterns(text: str) -> tuple[Pattern, ...]:
    return tuple(frozenset(map(_root, words.split("+"))) for words in text.split())


MEANINGS = tuple(
    (_patterns(asked), _patterns(told))
    for asked, _, told in (
        line.partition(":")
        for line in """
        bark woof growl howl dog+whine: bark dog growl howl
        meow purr: meow purr cat
        chirp tweet birdsong bird+sing bird+song bird+call: bird chirp
        rooster+crow cock-a-doodle-doo: rooster
        crow+caw: crow+caw caw
        quack: quack duck
        hoof hooves hoofbeat gallop: hooves horse clip-clop
        neigh whinny: neigh horse
        moo: moo
        bleat: bleat
        roar: roar
        crowd+roar: cheer crowd
        engine+roar engine+rev engine+start motor+run rev: engine
        buzz: buzz insect
        applause applaud clap ovation: applause clap
        cheer: cheer crowd
        laugh laughter giggle chuckle: laugh laughter giggle chuckle
        cry cries sob weep wail: cry
        baby+cry baby+cries infant+cry: baby+cry infant+cry
        scream shriek: scream
        shout yell: shout yell
        sing song sang sung choir chant singer: sing choir chant
        cough: cough
        sneeze: sneeze
        snore: snore
        whisper: whisper
        whistle: whistle
        music melody tune orchestra band+play: music
        piano+play pianist: piano
        guitar+play guitarist: guitar
        drum+play drum+roll drumming drummer: drum
        violin+play violinist fiddler: violin
        trumpet+play trumpeter: trumpet
        flute+play flutist: flute
        saxophone+play saxophonist: saxophone
        organ+play organist: organ
        honk car+horn: car+horn vehicle+horn honk
        train+horn train+whistle: train+horn train+whistle
        ship+horn boat+horn foghorn: boat+horn foghorn
        siren: siren
        alarm: alarm
        beep: beep
        bell chime ringing sound+rings: bell chime
        phone+rings phone+ringing telephone+rings telephone+ringing ringtone: telephone ringtone
        doorbell door+bell: doorbell
        gunshot gunfire gun+shot gun+fired gun+fire gun+shoot: gunshot gunfire
        shot+fired shot+ring+out sound+shot: gunshot gunfire
        explosion explode boom blast: explosion boom
        bang: bang explosion gunshot door+slam
        crash smash: crash smash
        firework firecracker: fireworks firecracker
        thunder thunderclap: thunder thunderstorm
        rain: rain
        wind+howl wind+blow wind+whistle: wind
        water+run water+drip water+pour water+trickle: water
        splash: splash
        waves+crash waves+break: waves
        fire+crackle crackle: crackle
        footstep: footstep
        door+slam: door+slam slam
        door+knock window+knock sound+knock: knock
        creak squeak door+creak door+squeak: creak squeak
        glass+break glass+broken glass+shatter glass+smash shatter: glass+break shatter
        clock+tick tick: tick
        typing keyboard+type typewriter: typing
        camera+click: camera
        hammering: hammering hammer
        drilling sound+drill: drilling drill
        chainsaw: chainsaw
        vacuum+clean: vacuum
        sound+car sound+traffic: car+passing traffic
        sound+plane sound+airplane: aeroplane airplane
        sound+motorbike: motorcycle
        """.strip().splitlines()
    )
)
"""What a question says, and the words of class names that tell it; ``+`` joins words that only
mean it together."""


def named(text: str) -> tuple[str, ...]:
    """The words about sounds in a text, in order."""
    return tuple(word for word in tokens(text) if word in WORDS)


def meant(classes: Sequence[str], text: str) -> tuple[int, ...]:
    """Which of the sound classes a question means, in order; none if it is not about sound.

    ``meant(("dog barking", "rain"), "a dog barks")`` is ``(0,)``. A dog that runs means no sound.
    What is said more exactly counts alone: birds that sing are no singers.
    """
    words = tokens(text)
    aloud = not ALOUD.isdisjoint(words)
    roots = {_root(word) for word in words} | ({_SOUND} if aloud else set())
    found = [(pattern, told) for asked, told in MEANINGS for pattern in asked if pattern <= roots]
    exact = [(p, told) for p, told in found if not any(p < other for other, _ in found)]
    wanted = {pattern for _, told in exact for pattern in told}
    explained = Pattern().union(*(p for p, _ in exact if _SOUND not in p))
    things = {_root(word) for word in content(text) if aloud and word not in ALOUD}
    rest = things - explained
    return tuple(i for i, name in enumerate(classes) if _tells(name, wanted, rest))


def _tells(name: str, wanted: set[Pattern], rest: set[str]) -> bool:
    """Whether a class tells what is wanted, or is called by nothing but words of the rest."""
    roots = {_root(word) for word in tokens(name)}
    names = ({_root(word) for word in content(part)} for part in name.split(","))
    return any(p <= roots for p in wanted) or any(part and part <= rest for part in names)

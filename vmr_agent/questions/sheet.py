"""What a model fills in: one field for every id that it was given, and no other.

    ballot(["c1", "c2"], ["i1"])  # {"c1": {"i1": "yes"}, "c2": {"i1": "no"}}

Its schema names the ids: an endpoint that holds to it can neither invent one nor forget one, and an
answer is a quarter as long as a list of pairs. Of others, what they leave out is simply not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    TypeAdapter,
    ValidationError,
    create_model,
    model_validator,
)

from vmr_agent.counsel import Heard

SURE = 0.9  # what a bare yes is worth, where the server does not tell its probability


class Answer(BaseModel):
    """Base of what is read from a model: it may say more than it was asked."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class Sheet(Answer):
    """Base of those whose fields are ids. What does not fit counts as left out."""

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        kinds = {name: field.rebuild_annotation() for name, field in cls.model_fields.items()}
        fit = {
            name: given[name] for name in kinds if name in given and _fits(given[name], kinds[name])
        }
        if not fit:
            raise ValueError(f"nothing that was asked for about {', '.join(kinds)} is in it")
        return fit


def _fits(value: Any, kind: Any) -> bool:
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


def lower(value: object) -> object:
    """As words are compared; what is true is a yes."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.strip().lower() if isinstance(value, str) else value


YesNo = Annotated[Literal["yes", "no"], BeforeValidator(lower)]


def sheet(ids: Iterable[str], kind: Any) -> type[Sheet]:
    """A field of this kind for each id."""
    fields: dict[str, Any] = dict.fromkeys(ids, (kind, None))
    return create_model("Sheet", __base__=Sheet, **fields)


def ballot(places: Iterable[str], things: Iterable[str]) -> type[Sheet]:
    """A yes or no for every thing in every place."""
    return sheet(places, sheet(things, YesNo))


def weighed(heard: Heard[Sheet], no: float = 1 - SURE) -> dict[str, dict[str, float]]:
    """Probability of yes by place and thing, as far as a ballot was filled in.

    ``no`` is that behind a bare no.
    """
    return {
        place: {
            thing: heard.chances.get(f"{place}.{thing}", SURE if said == "yes" else no)
            for thing, said in row.items()
        }
        for place, row in heard.record.model_dump(exclude_none=True).items()
    }

"""What a route answers, told to the API's description by the type that the handler's JSON is built of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter
from pydantic.errors import PydanticUserError
from typing_extensions import TypedDict

View = TypeVar("View", bound=Callable[..., Any])
_MARK = "gridmap_answer"
_REF = "#/components/schemas/{model}"
COMPONENTS: dict[str, Any] = {}
"""Schemas of everything that was named in `returns`, by name."""


@dataclass(frozen=True)
class Answer:
    """What a route said that it answers."""

    kind: Any
    many: bool
    more: type | None

    def check(self, answer: dict[str, Any]) -> None:
        """Raises pydantic's ValidationError where `answer` (as read from JSON) is not of that form."""
        if not self.many:
            adapter_of(self.kind).validate_python(answer)
            return
        beside = {name: value for name, value in answer.items() if name != "items"}
        adapter_of(self.more or _Nothing).validate_python(beside)
        for item in answer["items"]:
            adapter_of(self.kind).validate_python(item)


class _Nothing(TypedDict):
    pass


class IsCut(TypedDict):
    """True when there are more than are told."""

    is_cut: bool


def returns(
    kind: Any, *, status: int = 200, many: bool = False, more: type | None = None
) -> Callable[[View], View]:
    """Describe the JSON of a handler: `kind` is a dataclass or a TypedDict.

    `many`: the answer is {"items": [kind, ...]}, and `more` is a TypedDict of what stands beside the items.
    """
    schema = _schema_of(kind)
    if many:
        beside = _schema_of(more) if more is not None else {}
        own = {
            "type": "object",
            "required": ["items"],
            "properties": {"items": {"type": "array", "items": schema}},
        }
        schema = {"allOf": [own, beside]} if beside else own
    content = {"application/json": {"schema": schema}}

    def mark(view: View) -> View:
        setattr(view, _MARK, Answer(kind, many, more))
        spec = view.__dict__.setdefault("_spec", {})
        spec["responses"] = {str(status): {"description": "Done", "content": content}}
        return view

    return mark


def answer_of(view: Callable[..., Any]) -> Answer | None:
    """What a view said of its answer, if anything."""
    found = getattr(view, _MARK, None)
    return found if isinstance(found, Answer) else None


def adapter_of(kind: Any) -> TypeAdapter[Any]:
    """Checks that an answer is of its kind, with nothing missing and nothing more."""
    try:
        return TypeAdapter(kind, config=ConfigDict(extra="forbid"))
    except PydanticUserError:
        return TypeAdapter(kind)


def _schema_of(kind: Any) -> dict[str, Any]:
    schema = adapter_of(kind).json_schema(ref_template=_REF, mode="serialization")
    COMPONENTS.update(schema.pop("$defs", {}))
    name = schema.get("title")
    if name is None or schema.get("type") != "object":
        return schema
    COMPONENTS[name] = schema
    return {"$ref": _REF.format(model=name)}

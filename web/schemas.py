"""The form of what comes in. Strict: unknown fields, wrong types, NaN and oversize are refused by name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from apiflask.schema_adapters.pydantic import PydanticAdapter
from apiflask.schema_adapters.registry import registry
from flask import Request
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from gridmap.errors import Invalid

MAX_LIST = 50


class Body(BaseModel):
    """A JSON body."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, str_strip_whitespace=True)


class Query(BaseModel):
    """The part of an address after the question mark: text that stands for numbers, times and lists."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, str_strip_whitespace=True)


class Empty(Body):
    """A verb that needs nothing."""


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("null character")
    return text


def _split(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _to_utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


Storable = AfterValidator(_storable)
Key = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=200), Storable]
Text = Annotated[str, StringConstraints(min_length=1, max_length=4_000), Storable]
OptionalText = Annotated[str, StringConstraints(max_length=4_000), Storable]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=500), Storable]
Password = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=False)]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=200)]
# Degrees, or metres where `crs` names a projected system; the service checks the range of the system named.
Abscissa = Annotated[float, Field(ge=-1e9, le=1e9)]
Ordinate = Annotated[float, Field(ge=-1e9, le=1e9)]
Lon = Annotated[float, Field(ge=-180, le=180)]
Lat = Annotated[float, Field(ge=-90, le=90)]
Severity = Annotated[int, Field(ge=1, le=4)]
Moment = Annotated[AwareDatetime, AfterValidator(_to_utc)]
Keys = Annotated[tuple[Key, ...], BeforeValidator(_split), Field(max_length=MAX_LIST)]
Severities = Annotated[tuple[Severity, ...], BeforeValidator(_split), Field(max_length=4)]
Bbox = Annotated[tuple[Lon, Lat, Lon, Lat], BeforeValidator(_split)]
AreaId = Annotated[int, Field(ge=1, le=2**31 - 1)]


class WithReason(Body):
    """A verb that needs nothing but to be explained."""

    reason: Reason


class StrictAdapter(PydanticAdapter):
    """Reads JSON strictly (a number is no text, true is no number) and answers faults by field and kind."""

    def validate_input(self, request: Request, location: str, **_kwargs: Any) -> BaseModel:
        try:
            match location:
                case "json":
                    return self.model_class.model_validate_json(request.get_data() or b"{}", strict=True)
                case "query":
                    _refuse_repeats(request)
                    return self.model_class.model_validate(request.args.to_dict())
                case "form":
                    return self.model_class.model_validate(request.form.to_dict())
        except ValidationError as error:
            raise Invalid("invalid_fields", fields=faults_of(error)) from None
        raise ValueError(f"no reader for {location}")


def _refuse_repeats(request: Request) -> None:
    repeated = sorted(name for name, values in request.args.lists() if len(values) > 1)
    if repeated:
        raise Invalid("invalid_fields", fields=dict.fromkeys(repeated, "repeated"))


def faults_of(error: ValidationError) -> dict[str, str]:
    """Field path -> kind of fault; the value given is not repeated."""
    return {
        ".".join(str(part) for part in fault["loc"])[:200] or "body": fault["type"]
        for fault in error.errors(include_url=False, include_context=False, include_input=False)[:MAX_LIST]
    }


registry.register("pydantic", StrictAdapter)

"""Bodies of requests: JSON into a frozen struct, as strict as everything else that enters.

Litestar's own way from JSON to a struct takes ``"7"`` for a number and leaves the place of a mistake out of its answer.
With ``dto=JsonBody`` a body is decoded straight into the type of the handler's ``data``; one that does not fit is
answered with 400 and the path of what is wrong. How long it may be is for the router (``request_max_body_size``).
"""

from collections.abc import Generator
from typing import Any

import msgspec
from litestar.dto import AbstractDTO
from litestar.exceptions import ClientException
from litestar.typing import FieldDefinition


class JsonBody(AbstractDTO[Any]):
    """Litestar asks a DTO for the value and for its schema; the first is msgspec's here, the second Litestar's own."""

    def decode_bytes(self, value: bytes) -> Any:
        field = self.asgi_connection.route_handler.parsed_data_field
        try:
            return msgspec.json.decode(value, type=field.annotation)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ClientException(detail=_why(error)) from None

    @classmethod
    def create_for_field_definition(cls, *_: Any, **__: Any) -> None:
        """There is nothing to prepare."""

    @classmethod
    def create_openapi_schema(cls, field_definition: FieldDefinition, handler_id: str, schema_creator: Any) -> Any:
        return schema_creator.for_field_definition(field_definition)

    @classmethod
    def generate_field_definitions(cls, model_type: type[Any]) -> Generator[Any, None, None]:
        yield from ()

    @classmethod
    def detect_nested_field(cls, field_definition: FieldDefinition) -> bool:
        return False


def _why(error: Exception) -> str:
    match error:
        case UnicodeDecodeError():
            return "The body is not UTF-8."
        case RecursionError():
            return "The body is nested too deeply."
        case _:
            return str(error)

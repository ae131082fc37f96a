"""JSON Schema of message types. msgspec's own generator refuses a field whose default is raw JSON, which ours have.

It knows the types that messages are made of, and raises ``TypeError`` for any other.
"""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec import inspect as types

Json = dict[str, Any]

REFERENCES: Final = "#/components/schemas/"

_PLAIN: Final[dict[type, Json]] = {
    types.AnyType: {},
    types.RawType: {},
    types.NoneType: {"type": "null"},
    types.BoolType: {"type": "boolean"},
    types.FloatType: {"type": "number"},
    types.StrType: {"type": "string"},
}


class Schemas:
    """Gathers the schemas of structs, each under its name with ``prefix``.

    ``words`` describe fields whose own types do not, by their names: the kernel's values know nothing of HTTP.
    """

    def __init__(self, prefix: str = "", words: Mapping[str, str] | None = None) -> None:
        self.found: dict[str, Json] = {}
        self._prefix = prefix
        self._words = words or {}

    def add(self, kinds: Iterable[type[msgspec.Struct]]) -> None:
        for info in types.multi_type_info(kinds):
            self._schema(info)

    def reference(self, kind: type) -> Json:
        return {"$ref": f"{REFERENCES}{self._prefix}{kind.__name__}"}

    def _schema(self, info: types.Type) -> Json:
        match info:
            case types.Metadata(type=inner, extra_json_schema=extra):
                return {**self._schema(inner), **(extra or {})}
            case types.StructType():
                return self._struct(info)
            case types.UnionType(types=kinds):
                return {"anyOf": [self._schema(kind) for kind in kinds]}
            case types.ListType(item_type=item) | types.VarTupleType(item_type=item):
                return {"type": "array", "items": self._schema(item)}
            case types.DictType(value_type=value):
                return {"type": "object", "additionalProperties": self._schema(value)}
            case types.LiteralType(values=values):
                return {"enum": list(values)}
            case types.IntType(ge=least, le=most):
                bounds = {"minimum": least, "maximum": most}
                return {"type": "integer", **{name: bound for name, bound in bounds.items() if bound is not None}}
            case _ if type(info) in _PLAIN:
                return _PLAIN[type(info)]
        raise TypeError(f"no schema for {info!r}")

    def _struct(self, info: types.StructType) -> Json:
        kind = info.cls
        name = self._prefix + kind.__name__
        if name not in self.found:
            schema = self.found[name] = {"type": "object"}  # entered first, for types that hold themselves
            if kind.__dict__.get("__doc__"):  # its own, not what it inherits
                schema["description"] = inspect.cleandoc(kind.__dict__["__doc__"]).partition("\n")[0]
            schema["properties"] = {field.encode_name: self._field(field) for field in info.fields}
            required = [field.encode_name for field in info.fields if field.required]
            if required:
                schema["required"] = required
        return self.reference(kind)

    def _field(self, field: types.Field) -> Json:
        schema, words = self._schema(field.type), self._words.get(field.encode_name)
        is_described = any("description" in one for one in (schema, *schema.get("anyOf", ())))
        return {**schema, "description": words} if words and not is_described else schema

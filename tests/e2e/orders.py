"""Messages that make agents ask people."""

from typing import Final

from tests.support.scripts import script

TITLE: Final = "What shall it be?"
FIELDS: Final[dict[str, dict[str, object]]] = {  # one of each kind
    "name": {"type": "string", "title": "Name", "maxLength": 20},
    "count": {"type": "integer", "title": "How many", "minimum": 1, "maximum": 9},
    "size": {"enum": ["small", "large"], "title": "Size"},
    "gift": {"type": "boolean", "title": "A gift"},
    "extras": {"type": "array", "items": {"enum": ["bow", "card"]}, "title": "Extras"},
    "notes": {"type": "array", "items": {"type": "string"}, "title": "Notes", "description": "One a line"},
}
ORDER: Final = {"type": "object", "required": ["name", "count", "size"], "properties": FIELDS}
NAME: Final = {"type": "object", "required": ["name"], "properties": {"name": FIELDS["name"]}}
DELETE: Final = (
    '{"words": 2, "rounds": [[{"name": "delete_notes", "arguments": "{\\"because\\": \\"old\\"}"}]]}'  # the Keeper
)


def asks(schema: object = NAME, **more: object) -> str:
    """Returns an order to ask after the first word."""
    return script(words=2, every_ms=1, ask={"after": 1, "title": TITLE, "schema": schema, **more})

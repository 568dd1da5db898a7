"""The client id of a form, so that a form that is sent twice has one effect (P5)."""

from uuid import UUID, uuid4

from django.http import HttpRequest

from sessions_core.protocol.ids import ClientId


def client_id_of(request: HttpRequest) -> ClientId:
    """Returns the id that the page has put into the form; a new one where it has none."""
    try:
        return ClientId(UUID(request.POST.get("client_id", "")))
    except ValueError:
        return ClientId(uuid4())

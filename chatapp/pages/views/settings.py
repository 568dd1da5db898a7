"""The settings page: API tokens and devices."""

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from chatapp.pages import frame
from chatapp.pages.forms import TokenForm
from chatapp.pages.signed_in import Request, signed_in
from sessions_core.models import ApiToken, Device
from sessions_core.protocol.author import Author
from sessions_core.services import tokens


@never_cache
@signed_in
def settings(request: Request, author: Author) -> HttpResponse:
    """Shows tokens and devices. A new token is shown once, in the answer to the form that made it."""
    form = TokenForm(request.POST or None)
    issued = ""
    if request.method == "POST" and form.is_valid():
        made = form.cleaned_data
        owner = User.objects.get(pk=author.user)
        issued = tokens.issue(owner, label=made["label"], can_write=made["can_write"])
        form = TokenForm()
    context = {
        **frame.context(author),
        "form": form,
        "issued": issued,
        "tokens": ApiToken.objects.filter(user=author.user, revoked_at=None).order_by("-created_at"),
        "devices": Device.objects.filter(user=author.user).order_by("-last_seen_at")[:50],
    }
    return render(request, "settings.html", context)


@require_POST
@signed_in
def revoke_token(request: Request, author: Author, token: int) -> HttpResponse:
    """Revokes one of the user's tokens."""
    tokens.revoke(get_object_or_404(ApiToken, pk=token, user=author.user))
    messages.success(request, _("The token is revoked."))
    return redirect("settings")

"""Signing in, out and up."""

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, LogoutView
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from typing_extensions import override

from chatapp.pages import sign_in_links, throttle
from chatapp.pages.forms import SignInForm, SignUpForm
from chatapp.pages.unavailable import throttled
from sessions_core.protocol.errors import RateLimited

_BACKEND = "chatapp.pages.sign_in_backend.ThrottledBackend"


class SignIn(LoginView):
    template_name = "account/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    @override
    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Shows what is wrong, with 429 when it was tried too often."""
        page = super().form_invalid(form)
        return throttled(page, form.refusal) if isinstance(form, SignInForm) and form.refusal else page


sign_in = SignIn.as_view()
sign_out = LogoutView.as_view()


@never_cache
@sensitive_post_parameters("password")
def sign_up(request: HttpRequest) -> HttpResponse:
    """Makes an account and signs in with it. 404 unless the setting SIGN_UP is on."""
    if not settings.SIGN_UP:
        raise Http404
    if request.user.is_authenticated:
        return redirect("home")
    form, refusal = SignUpForm(request.POST or None), None
    if form.is_valid():
        try:
            throttle.take(throttle.sign_up(request))
        except RateLimited as limited:
            form.add_error(None, limited.message)
            refusal = limited
        else:
            login(request, form.save(), backend=_BACKEND)
            return redirect("home")
    page = render(request, "account/sign_up.html", {"form": form}, status=422 if form.is_bound else 200)
    return throttled(page, refusal) if refusal else page


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_link(request: HttpRequest, token: str) -> HttpResponse:
    """Shows a button, which signs in by a link of chatapp/pages/sign_in_links.py, once. A used link says so.

    A GET spends nothing: mail programs and chats open each link before a person does.
    """
    user = _sign_in_by_link(request, token) if request.method == "POST" else sign_in_links.find(token)
    if user is None and not request.user.is_authenticated:
        return render(request, "account/link_used.html", {"days": sign_in_links.days()}, status=410)
    if user is None or request.method == "POST":
        return redirect("home")
    return render(request, "account/link.html", {"name": user.first_name or user.get_username()})


def _sign_in_by_link(request: HttpRequest, token: str) -> User | None:
    with transaction.atomic():
        user = sign_in_links.find(token, lock=True)
        if user is not None:
            login(request, user, backend=_BACKEND)
    return user

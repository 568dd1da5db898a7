"""The forms of the pages."""

from typing import Any, ClassVar

from django import forms
from django.contrib.auth import password_validation
from django.contrib.auth.forms import AuthenticationForm, UsernameField
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from sessions_core.models import ApiToken
from sessions_core.protocol.errors import RateLimited


class SignInForm(AuthenticationForm):
    error_messages = {  # noqa: RUF012  # Django's declaration
        **AuthenticationForm.error_messages,
        "invalid_login": _("That name and password do not belong together. Capital letters matter in both."),
    }
    refusal: RateLimited | None = None

    @override
    def clean(self) -> dict[str, Any]:
        """Checks the password. What was tried too often is an error of the form, and stays in `refusal`."""
        try:
            return super().clean()
        except RateLimited as refusal:
            self.refusal = refusal
            raise ValidationError(refusal.message) from refusal


class SignUpForm(forms.ModelForm[User]):
    """Makes an account of a name and a password."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        help_text=_("At least 8 characters, and none that everybody uses."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = User
        fields = ("username",)
        field_classes: ClassVar = {"username": UsernameField}
        help_texts: ClassVar = {"username": ""}

    def clean_username(self) -> str:
        """Refuses a name that differs from another one in capital letters only: people would mistake one for the other."""
        name = str(self.cleaned_data["username"])
        if User.objects.filter(username__iexact=name).exists():
            raise ValidationError(_("That name is taken."))
        return name

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        password_validation.validate_password(password, User(username=self.cleaned_data.get("username", "")))
        return password

    @override
    def save(self, commit: bool = True) -> User:  # Django's signature
        user = super().save(commit=False)
        user.set_password(self.cleaned_data["password"])
        if commit:
            user.save()
        return user


class TokenForm(forms.ModelForm[ApiToken]):
    class Meta:
        model = ApiToken
        fields = ("label", "can_write")
        labels: ClassVar = {"label": _("What is it for?"), "can_write": _("May write, not only read")}
        widgets: ClassVar = {"label": forms.TextInput(attrs={"placeholder": _("backup script, laptop …")})}

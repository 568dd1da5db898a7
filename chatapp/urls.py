"""The addresses of the pages. Those of API and health come from `sessions_core.urls`."""

from django.contrib import admin
from django.urls import include, path

from chatapp.pages.views import account, consents, conversation, listing, settings

handler500 = "chatapp.pages.views.errors.server_error"

urlpatterns = [
    path("", conversation.home, name="home"),
    path("s/", conversation.begin, name="begin"),
    path("s/<uuid:session>/", conversation.conversation, name="session"),
    path("s/<uuid:session>/messages/", conversation.post, name="post"),
    path("s/<uuid:session>/stop/", conversation.stop, name="stop"),
    path("s/<uuid:session>/stop/all/", conversation.stop_all, name="stop_all"),
    path("s/<uuid:session>/queue/resumption/", conversation.resume_queue, name="resume_queue"),
    path("s/<uuid:session>/runs/<uuid:run>/retry/", conversation.retry, name="retry"),
    path("s/<uuid:session>/consents/", consents.listing, name="consents"),
    path("s/<uuid:session>/consents/revoke/", consents.revoke, name="revoke_consent"),
    path("s/<uuid:session>/title/", listing.rename, name="rename"),
    path("s/<uuid:session>/archive/", listing.archive, name="archive"),
    path("s/<uuid:session>/restore/", listing.restore, name="restore"),
    path("s/<uuid:session>/delete/", listing.delete, name="delete"),
    path("sessions/", listing.listing, name="sessions"),
    path("sessions/<uuid:session>/", listing.item, name="session_item"),
    path("sessions/<uuid:session>/menu/", listing.item, {"part": "menu"}, name="session_menu"),
    path("sessions/<uuid:session>/rename/", listing.item, {"part": "rename"}, name="session_rename"),
    path("settings/", settings.settings, name="settings"),
    path("settings/tokens/<int:token>/revoke/", settings.revoke_token, name="revoke_token"),
    path("sign-in/", account.sign_in, name="sign_in"),
    path("sign-in/link/<str:token>/", account.sign_in_link, name="sign_in_link"),
    path("sign-out/", account.sign_out, name="sign_out"),
    path("sign-up/", account.sign_up, name="sign_up"),
    path("admin/", admin.site.urls),
    path("", include("sessions_core.urls")),
]

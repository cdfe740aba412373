"""Mail and webhook against real servers on loopback: what arrives, and what a failure says."""

from __future__ import annotations

import hashlib
import hmac
import socket
from datetime import UTC, datetime

import pytest

from iwrouting.alerts import Notice, NotTold, channels
from tests.alerts.conftest import Configure
from tests.alerts.servers import MailServer, Receiver

AT = datetime(2026, 11, 23, 3, 4, 5, 678_000, tzinfo=UTC)
NOTICE = Notice("an-id", AT, "raised", "journal_in_use", "web-1", "3 rows wait.")
PASSWORD = "correct horse/battery"
ENCODED = "correct%20horse%2Fbattery"


def nobody() -> int:
    """A port where nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def test_nothing_configured__tells_nobody(configure: Configure) -> None:
    assert channels(configure()) == []


def test_mail__arrives_at_every_recipient_after_a_login(configure: Configure, mail_server: MailServer) -> None:
    url = f"smtp://ada:{ENCODED}@127.0.0.1:{mail_server.port}"
    (mail,) = channels(configure(email_url=url, email_from="iw@example.org", alert_email=("a@b.org", "c@d.org")))
    mail.tell(NOTICE)
    assert mail_server.logins == [f"\0ada\0{PASSWORD}"]
    assert mail_server.recipients == ["a@b.org", "c@d.org"]
    (text,) = mail_server.mails
    assert "Subject: [iwrouting] raised: journal_in_use (web-1)" in text
    assert "From: iw@example.org" in text
    assert "3 rows wait." in text
    assert "2026-11-23 03:04:05 UTC" in text


@pytest.mark.parametrize(
    ("verb", "answer", "reason"),
    [
        ("AUTH", "535 correct horse/battery is wrong", "535"),
        ("RCPT", "550 nobody of that name", "550"),
        ("DATA", "451 later", "451"),
    ],
)
def test_mail__refused__says_the_code_and_nothing_of_the_password(
    configure: Configure, mail_server: MailServer, verb: str, answer: str, reason: str
) -> None:
    mail_server.refuse[verb] = answer
    url = f"smtp://ada:{ENCODED}@127.0.0.1:{mail_server.port}"
    (mail,) = channels(configure(email_url=url, alert_email=("a@b.org",)))
    with pytest.raises(NotTold, match=reason) as caught:
        mail.tell(NOTICE)
    assert "horse" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("form", ["smtp://ada:secret-word@127.0.0.1:{}?tls", "smtps://ada:secret-word@127.0.0.1:{}"])
def test_mail__to_a_server_without_tls_that_should_have_it__hands_over_no_password(
    configure: Configure, mail_server: MailServer, form: str
) -> None:
    (mail,) = channels(configure(email_url=form.format(mail_server.port), alert_email=("a@b.org",)))
    with pytest.raises(NotTold):
        mail.tell(NOTICE)
    assert (mail_server.logins, mail_server.mails) == ([], [])
    if form.startswith("smtps"):
        assert mail_server.first_bytes[:1] in ([], [b"\x16"]), "a TLS handshake or nothing"


def test_mail__where_nobody_listens__says_so(configure: Configure) -> None:
    (mail,) = channels(configure(email_url=f"smtp://127.0.0.1:{nobody()}", alert_email=("a@b.org",)))
    with pytest.raises(NotTold, match="ConnectionRefusedError"):
        mail.tell(NOTICE)


def test_webhook__gets_the_documented_object(configure: Configure, receiver: Receiver) -> None:
    (webhook,) = channels(configure(alert_webhook_url=f"{receiver.url}?sig=1"))
    webhook.tell(NOTICE)
    (post,) = receiver.posts
    assert (post.path, post.headers["content-type"]) == ("/hook?sig=1", "application/json")
    assert "x-iw-signature" not in post.headers
    assert post.json == {
        "version": 1,
        "id": "an-id",
        "at": "2026-11-23T03:04:05.678+00:00",
        "state": "raised",
        "rule": "journal_in_use",
        "subject": "web-1",
        "message": "3 rows wait.",
        "host": socket.gethostname(),
        "environment": "development",
        "text": "[iwrouting] raised: journal_in_use (web-1)\n3 rows wait.",
    }


def test_webhook__with_a_secret__is_signed_as_documented(configure: Configure, receiver: Receiver) -> None:
    (webhook,) = channels(configure(alert_webhook_url=receiver.url, alert_webhook_secret="a shared secret"))
    webhook.tell(NOTICE)
    (post,) = receiver.posts
    given = dict(part.split("=") for part in post.headers["x-iw-signature"].split(","))
    signed = given["t"].encode() + b"." + post.body
    assert given["v1"] == hmac.new(b"a shared secret", signed, hashlib.sha256).hexdigest()
    assert abs(int(given["t"]) - datetime.now(UTC).timestamp()) < 60


@pytest.mark.parametrize(("status", "reason"), [(500, "answered 500"), (404, "answered 404"), (302, "redirects")])
def test_webhook__that_does_not_accept__is_not_told(
    configure: Configure, receiver: Receiver, status: int, reason: str
) -> None:
    receiver.status, receiver.location = status, f"{receiver.url}/elsewhere" if status == 302 else ""
    (webhook,) = channels(configure(alert_webhook_url=receiver.url))
    with pytest.raises(NotTold, match=reason):
        webhook.tell(NOTICE)
    assert [post.path for post in receiver.posts] == ["/hook"]


def test_webhook__where_nobody_listens__says_so_without_its_path(configure: Configure) -> None:
    (webhook,) = channels(configure(alert_webhook_url=f"http://127.0.0.1:{nobody()}/services/T0/B0/hidden"))
    with pytest.raises(NotTold, match="ConnectionRefusedError") as caught:
        webhook.tell(NOTICE)
    assert "hidden" not in str(caught.value)


def test_webhook__over_https_to_a_server_without_it__is_not_told(configure: Configure, receiver: Receiver) -> None:
    (webhook,) = channels(configure(alert_webhook_url=receiver.url.replace("http:", "https:")))
    with pytest.raises(NotTold, match="SSL"):
        webhook.tell(NOTICE)
    assert receiver.posts == []

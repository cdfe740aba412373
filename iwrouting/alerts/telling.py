"""By what people are told: mail and a webhook, as far as they are configured. Nothing else is reached out to."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import smtplib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import urlsplit

from django.core.mail import EmailMessage, get_connection

from iwrouting import __version__
from iwrouting.alerts.findings import this_host
from iwrouting.conf import Settings
from iwrouting.conf.alerts import read_mail_server
from iwrouting.conf.redact import redact

MAIL_TIMEOUT_S = 10
WEBHOOK_TIMEOUT_S = 5
MOST_REASON = 80
SIGNATURE_HEADER = "X-IW-Signature"
SMTP = "django.core.mail.backends.smtp.EmailBackend"


class NotTold(Exception):
    """A channel did not take it; the text says why, without any secret."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told. `state`: raised, again, cleared, or test."""

    id: str
    at: datetime
    state: str
    rule: str
    subject: str
    message: str

    @property
    def headline(self) -> str:
        """In one short line."""
        about = f" ({self.subject})" if self.subject else ""
        return f"[iwrouting] {self.state}: {self.rule}{about}"


class Channel(Protocol):
    """A way to tell people. `tell` raises NotTold."""

    name: str

    def tell(self, notice: Notice) -> None: ...


def channels(conf: Settings) -> list[Channel]:
    """Those that are configured."""
    found: list[Channel] = []
    if conf.alert_email:
        found.append(Mail(conf))
    if conf.alert_webhook_url:
        found.append(Webhook(conf.alert_webhook_url, conf.alert_webhook_secret, conf.env))
    return found


class Mail:
    """One mail to all recipients."""

    name = "mail"

    def __init__(self, conf: Settings) -> None:
        self._server = read_mail_server(conf.email_url)
        self._from, self._to = conf.email_from, conf.alert_email

    def tell(self, notice: Notice) -> None:
        """Hand it in at the server. Raises NotTold."""
        server = self._server
        link = get_connection(
            SMTP,
            host=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.starttls,
            use_ssl=server.tls,
            timeout=MAIL_TIMEOUT_S,
        )
        body = f"{notice.message}\n\nAt {notice.at:%Y-%m-%d %H:%M:%S} UTC, seen by {this_host()}.\n"
        mail = EmailMessage(notice.headline, body, self._from, list(self._to), connection=link)
        try:
            mail.send()
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            raise NotTold(f"the server refused the recipients, {code}") from None
        except smtplib.SMTPResponseException as error:
            raise NotTold(f"the server answered {error.smtp_code} ({type(error).__name__})") from None
        except (OSError, ValueError) as error:
            raise NotTold(_reason(error)) from None
        finally:
            # Django leaves a connection open on which TLS or the login failed; leaving it may fail in turn.
            link.fail_silently = True
            link.close()


class Webhook:
    """A POST of a JSON object; any 2xx is an acceptance, and redirects are not followed."""

    name = "webhook"

    def __init__(self, url: str, secret: str, environment: str) -> None:
        self._parts = urlsplit(url)
        self._secret = secret.encode()
        self._environment = environment

    def tell(self, notice: Notice) -> None:
        """Send it. Raises NotTold."""
        link = self._connection()
        try:
            status = self._posted(link, self._body(notice))
        except (OSError, http.client.HTTPException) as error:
            raise NotTold(_reason(error)) from None
        finally:
            link.close()
        if not 200 <= status < 300:
            raise NotTold(f"answered {status}" + (", and redirects are not followed" if 300 <= status < 400 else ""))

    def _connection(self) -> http.client.HTTPConnection:
        host = str(self._parts.hostname)
        if self._parts.scheme == "http":
            return http.client.HTTPConnection(host, self._parts.port, timeout=WEBHOOK_TIMEOUT_S)
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, self._parts.port, timeout=WEBHOOK_TIMEOUT_S, context=context)

    def _posted(self, link: http.client.HTTPConnection, body: bytes) -> int:
        target = (self._parts.path or "/") + (f"?{self._parts.query}" if self._parts.query else "")
        headers = {"Content-Type": "application/json", "User-Agent": f"iwrouting/{__version__}"}
        if self._secret:
            headers[SIGNATURE_HEADER] = signature(self._secret, body, int(datetime.now(UTC).timestamp()))
        link.request("POST", target, body, headers)
        return link.getresponse().status

    def _body(self, notice: Notice) -> bytes:
        told = {
            "version": 1,
            "id": notice.id,
            "at": notice.at.astimezone(UTC).isoformat(timespec="milliseconds"),
            "state": notice.state,
            "rule": notice.rule,
            "subject": notice.subject,
            "message": notice.message,
            "host": this_host(),
            "environment": self._environment,
            "text": f"{notice.headline}\n{notice.message}",
        }
        return json.dumps(told).encode()


def signature(secret: bytes, body: bytes, at: int) -> str:
    """The header's value: `t=<Unix time>,v1=<hex>`, where v1 is HMAC-SHA256 of `<t>.<body>` under the secret."""
    return f"t={at},v1={hmac.new(secret, f'{at}.'.encode() + body, hashlib.sha256).hexdigest()}"


def _reason(error: Exception) -> str:
    why = error.strerror if isinstance(error, OSError) and error.strerror else ""
    return redact(f"{type(error).__name__} {why}".strip())[:MOST_REASON].replace(";", ",")

#!/usr/bin/env python3
"""Announces a window through a real mail server (aiosmtpd) with STARTTLS and login, and reads what came with the
standard library's mail parser and with icalendar: notices.py PROGRAM"""

import datetime
import email
import email.policy
import ipaddress
import logging
import os
import ssl
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import icalendar
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SENTENCE = (
    "The server is temporarily unable to service your request due to maintenance downtime or capacity problems. "
    "Please try again later."
)
PASSWORD = "correct-horse-of-the-mail-server"
# A refused certificate is part of the test.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)
program = os.path.abspath(sys.argv[1])


def certificate(directory: Path) -> ssl.SSLContext:
    """A certificate of 127.0.0.1 that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    now = datetime.datetime.now(datetime.timezone.utc)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    (directory / "mail.pem").write_bytes(built.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (directory / "mail.key").write_bytes(private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "mail.pem", directory / "mail.key")
    return context


class Box:
    def __init__(self):
        self.mails = []
        self.refuses = set()
        self.reported = threading.Event()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refuses:
            return "550 5.1.1 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        assert session.ssl is not None or not server.tls_context, "a mail in the clear"
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.append((envelope.rcpt_tos, message))
        if "ops@registry.example" in envelope.rcpt_tos:
            self.reported.set()
        return "250 OK"


class Server(Controller):
    """On a free port; with STARTTLS and login if there is a context."""

    def __init__(self, box, context):
        self.context = context
        super().__init__(box, hostname="127.0.0.1", port=0)

    def factory(self):
        def check(server, session, envelope, mechanism, data):
            is_right = (data.login, data.password) == (b"tidegate", PASSWORD.encode())
            return AuthResult(success=is_right, handled=False)

        if self.context is None:
            return SMTP(self.handler)
        return SMTP(
            self.handler, tls_context=self.context, require_starttls=True, authenticator=check, auth_required=True
        )

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def main(directory: Path):
    context = certificate(directory)
    box = Box()
    server = Server(box, context)
    server.start()
    plain = Server(Box(), None)
    plain.start()
    (directory / "orgs.d").mkdir()
    for code, contacts in [("ACME01", '["it@acme.example"]'), ("BURL01", '["it@burl.example"]'), ("CNTY01", "[]")]:
        (directory / f"orgs.d/{code}.toml").write_text(f'code = "{code}"\nname = "Clinic <{code}>"\ncontacts = {contacts}\n')
    (directory / "password").write_text(PASSWORD + "\n")

    def configure(port=server.port, ca='ca = "mail.pem"'):
        (directory / "tidegate.toml").write_text(
            f"""data_dir = "data"
[ftp]
listen = "127.0.0.1:0"
tls = "off"
[limits]
free_bytes_min = "1MiB"
[maintenance]
timezone = "America/Chicago"
[notices]
report = true
staff = ["ops@registry.example"]
registry = "Registry, \u00c4ther & Co"
web = true
contacts = ["help: 555-0100"]
[notices.smtp]
host = "127.0.0.1"
port = {port}
{ca}
from = "Registry \u00c4ther <registry@registry.example>"
username = "tidegate"
password_file = "password"
"""
        )

    def run(line, code=0):
        done = subprocess.run(
            [program, *line.split(), "--config", directory / "tidegate.toml"], capture_output=True, text=True
        )
        assert PASSWORD not in done.stdout + done.stderr, "the password was shown"
        assert done.returncode == code, (line, done)
        return done.stdout + done.stderr

    def serve():
        command = [program, "serve", "--config", directory / "tidegate.toml"]
        serving = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert b"ready" in serving.stdout.readline()
        return serving

    configure()
    serving = serve()
    try:
        run("maintenance add dshs --from 2098-03-07T19:00 --to 2098-03-08T00:00 --reason Upgrade")

        box.refuses = {"it@burl.example"}
        assert "BURL01" in run("maintenance announce dshs --yes", 1)
        assert [to for to, _ in box.mails] == [["it@acme.example"]]
        box.refuses = set()
        run("maintenance announce dshs --yes")
        run("maintenance announce dshs --yes")
        assert [to for to, _ in box.mails] == [["it@acme.example"], ["it@burl.example"]], "each once, in order"

        _, mail = box.mails[0]
        assert "maintenance on Fri 2098-03-07 19:00 CST" in mail["Subject"], mail["Subject"]
        assert "\u00c4ther & Co" in mail["Subject"] and "\u00c4ther" in mail["From"]
        text = mail.get_body(("plain",)).get_content()
        page = mail.get_body(("html",)).get_content()
        for part in [SENTENCE, "2098-03-08 01:00 UTC", "No need to resubmit"]:
            assert part in text and part in page, part
        assert "Clinic <ACME01>" in text and "Clinic &lt;ACME01&gt;" in page
        first = event(mail, "PUBLISH")
        assert first["SEQUENCE"] == 0 and first["DTSTART"].dt.isoformat() == "2098-03-08T01:00:00+00:00"
        assert first["DTEND"].dt.isoformat() == "2098-03-08T06:00:00+00:00" and SENTENCE in first["DESCRIPTION"]
        assert first["ORGANIZER"] == "mailto:registry@registry.example"

        run("maintenance skip dshs --reason later")
        run("maintenance announce dshs --yes")
        assert len(box.mails) == 4
        last = event(box.mails[3][1], "CANCEL")
        assert (last["UID"], last["SEQUENCE"], last["STATUS"]) == (first["UID"], 1, "CANCELLED")
        assert run("maintenance announcements dshs --json").count('"address"') == 4

        run("maintenance add other --from 2098-04-07T19:00 --for 1h --reason Upgrade")
        configure(ca="")
        assert "certificate" in run("maintenance announce other --yes", 1)
        configure(port=plain.port)
        run("maintenance announce other --yes", 1)
        configure()
        (directory / "password").write_text("wrong-" + "\n")
        wrong = run("maintenance announce other --yes", 1)
        assert "535" in wrong, wrong
        assert len(box.mails) == 4 and not plain.handler.mails

        (directory / "password").write_text(PASSWORD + "\n")
        run("maintenance add long --from 2020-01-01 --to 2090-01-01 --reason Upgrade")
        run("maintenance end long --reason done")
        serving.terminate()
        serving.wait()
        serving = serve()
        assert box.reported.wait(120), "no report came"
        report = box.mails[4][1]
        assert report["Subject"].endswith("report on maintenance long"), report["Subject"]
        assert "nothing" in report.get_body(("plain",)).get_content()
    finally:
        serving.terminate()
        serving.wait()
        server.stop()
        plain.stop()
    print("announcements by mail: ok")


def event(mail, method):
    (file,) = mail.iter_attachments()
    assert file.get_content_type() == "text/calendar" and file.get_param("method") == method, file["Content-Type"]
    calendar = icalendar.Calendar.from_ical(file.get_content())
    assert calendar["METHOD"] == method
    (found,) = calendar.walk("VEVENT")
    assert not found.errors, found.errors
    return found


with tempfile.TemporaryDirectory() as scratch:
    main(Path(scratch))

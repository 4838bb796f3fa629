"""Names that people give files, by FTP and SFTP, and their responses under them.

Arguments: `send` or `fetch`, FTP port, SFTP port, account, password. Needs paramiko."""

import ftplib
import io
import sys

import paramiko

ACTION, FTP_PORT, SFTP_PORT, ACCOUNT, PASSWORD = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:6]
PATIENCE_S = 120
NAMES = [
    "two  words.hl7", " leading.hl7", "trailing ", "it's \"quoted\".hl7", "-rf", "100%25.hl7", "a;b&c|d.hl7", "$(id)`id`",
    "*?[a].hl7", "back\\slash.hl7", "~home.hl7", "grüße-ß.hl7", "患者.hl7", "vaccine-💉.hl7", "e\u0301.hl7", "#1.hl7", "=.hl7",
]
# Bytes that are no UTF-8: an old system's Latin-1. FTP names are bytes; Python's str holds them one by one.
LATIN_1 = "gr\xfc\xdfe.hl7"


def message(control_id):
    return (
        f"MSH|^~\\&|EHR|ACME|IIS|STATE|20240308120000-0600||VXU^V04^VXU_V04|{control_id}|P|2.5.1|||ER|AL|||||Z22^CDCPHINVS\r"
        "PID|1||12345^^^ACME^MR||TEST^CHILD^^^^^L||20200101|F\r"
        "ORC|RE||65930^ACME\rRXA|0|1|20240305||08^HepB^CVX|0.5|mL^mL^UCUM||01^Historical^NIP001|||||||||||CP|A\r"
    ).encode()


def ftp(encoding):
    client = ftplib.FTP(timeout=PATIENCE_S, encoding=encoding)
    client.connect("127.0.0.1", FTP_PORT)
    client.login(ACCOUNT, PASSWORD)
    client.voidcmd("TYPE I")
    return client


def sftp():
    transport = paramiko.Transport(("127.0.0.1", SFTP_PORT))
    transport.connect(username=ACCOUNT, password=PASSWORD)
    return transport, paramiko.SFTPClient.from_transport(transport)


def by_ftp(encoding, names):
    client = ftp(encoding)
    for number, name in enumerate(names):
        content = message(f"F{encoding}{number}")
        reply = client.storbinary(f"STOR {name}", io.BytesIO(content))
        assert reply.startswith("226"), (name, reply)
        assert client.size(f"inbox/{name}") == len(content), name
        assert name in client.nlst("inbox"), name
        assert f"/inbox/{name}" in client.sendcmd(f"MLST inbox/{name}"), name
        # A temporary name becomes another odd one.
        client.storbinary(f"STOR {name}.tmp", io.BytesIO(message(f"R{encoding}{number}")))
        client.rename(f"{name}.tmp", f"renamed {name}")
        assert f"renamed {name}" in client.nlst("inbox"), name
    client.quit()


def by_sftp():
    transport, client = sftp()
    for number, name in enumerate(NAMES):
        client.putfo(io.BytesIO(message(f"S{number}")), f"sftp {name}")
        assert f"sftp {name}" in client.listdir("inbox"), name
    transport.close()


def fetch_by_ftp(encoding, names):
    """Each name's response is listed, fetched and deleted."""
    client = ftp(encoding)
    for name in names:
        responses = [found for found in client.nlst("outbox") if found.startswith(f"{name}.") and found.endswith(".response")]
        assert len(responses) == 1, (name, responses)
        fetched = io.BytesIO()
        client.retrbinary(f"RETR outbox/{responses[0]}", fetched.write)
        assert b"MSA|AA|" in fetched.getvalue(), name
        for found in (responses[0], responses[0].removesuffix("response") + "report.txt"):
            client.delete(f"outbox/{found}")
            assert found not in client.nlst("outbox"), name
    client.quit()


def fetch_by_sftp():
    transport, client = sftp()
    for name in NAMES:
        found = [one for one in client.listdir("outbox") if one.startswith(f"sftp {name}.") and one.endswith(".response")]
        assert len(found) == 1, (name, found)
        fetched = io.BytesIO()
        client.getfo(f"outbox/{found[0]}", fetched)
        assert b"MSA|AA|" in fetched.getvalue(), name
        client.remove(f"outbox/{found[0]}")
    transport.close()


if ACTION == "send":
    by_ftp("utf-8", NAMES)
    by_sftp()
    # paramiko takes no listing that has such a name in it, whoever the server is: last, and fetched first.
    by_ftp("latin-1", [LATIN_1])
else:
    fetch_by_ftp("latin-1", [LATIN_1, f"renamed {LATIN_1}"])
    fetch_by_ftp("utf-8", NAMES)
    fetch_by_sftp()

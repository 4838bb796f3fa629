"""Cuts uploads at every tenth of their length, by FTP, FTPS and SFTP, by reset and by an orderly end.

What a protocol can tell from a whole file must leave no job. What it can't (the data ended, the client is still there) must
be a job in error as "truncated", and nothing of it may be delivered.
Arguments: the program. Needs paramiko."""

import collections
import contextlib
import ftplib
import json
import logging
import os
import pathlib
import re
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time

import paramiko

PROGRAM, ACCOUNT, PASSWORD = str(pathlib.Path(sys.argv[1]).resolve()), "acme", "correct-horse"
# A client that waits for so long has found a server that hangs.
PATIENCE_S = 120
# Small files lie in the journal at first, large ones in files of their own.
SIZES = {"small": 20_000, "large": 2_000_000}
CONFIG = """
data_dir = "data"
[ftp]
listen = "127.0.0.1:0"
tls = "optional"
certificate = "made/tls/certificate.pem"
key = "made/tls/key.pem"
passive_ports = "0-0"
[sftp]
listen = "127.0.0.1:0"
host_keys = ["made/ssh_host_ed25519_key"]
[limits]
free_bytes_min = "1MiB"
sessions_per_org_max = 200
sessions_per_address_max = 200
"""


def content(name, size):
    """A batch of `size` bytes or a little more, different for each name."""
    head = f"FHS|^~\\&|EHR|ACME|{name}\rBHS|^~\\&|EHR|ACME\r".encode()
    message = (
        f"MSH|^~\\&|EHR|ACME|IIS|STATE|20240308120000-0600||VXU^V04^VXU_V04|{name}|P|2.5.1|||ER|AL|||||Z22^CDCPHINVS\r"
        "PID|1||12345^^^ACME^MR||TEST^CHILD^^^^^L||20200101|F\r"
        "ORC|RE||65930^ACME\rRXA|0|1|20240305||08^HepB^CVX|0.5|mL^mL^UCUM||01^Historical^NIP001|||||||||||CP|A\r"
    ).encode()
    count = -(-size // len(message))
    return head + message * count + f"BTS|{count}\rFTS|1\r".encode()


class Server:
    def __init__(self, site):
        environment = {**os.environ, "TIDEGATE_CONFIG": f"{site}/tidegate.toml"}
        self.environment, self.log = environment, open(f"{site}/log", "a")
        self.process = subprocess.Popen([PROGRAM, "serve"], env=environment, stdout=subprocess.PIPE, stderr=self.log, text=True)
        ready = self.process.stdout.readline()
        ports = dict(re.findall(r"(\w+) 127\.0\.0\.1:(\d+)", ready))
        assert "ftp" in ports, f"the server ended: {open(f'{site}/log').read()}"
        self.ftp, self.sftp = int(ports["ftp"]), int(ports["sftp"])

    def ask(self, *words):
        run = subprocess.run([PROGRAM, *words, "--json"], env=self.environment, check=True, capture_output=True, text=True)
        return json.loads(run.stdout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Returns once every upload has come to its end."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(PATIENCE_S) == 0


def end(connection, by):
    """Ends a TCP connection, below any encryption."""
    if isinstance(connection, ssl.SSLSocket):
        connection = socket.socket(fileno=connection.detach())
    if by == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    else:
        connection.shutdown(socket.SHUT_WR)
    connection.close()


def reply_to(ftp):
    try:
        return ftp.voidresp()[:3]
    except ftplib.Error as error:
        return str(error)[:3]


def cut_ftp(server, encrypted, name, part, by, control):
    """`by`: "reset", "end", or "goodbye", an end as TLS has it. `control`: "kept" or "lost"."""
    ftp = ftplib.FTP_TLS(timeout=PATIENCE_S) if encrypted else ftplib.FTP(timeout=PATIENCE_S)
    ftp.connect("127.0.0.1", server.ftp)
    ftp.login(ACCOUNT, PASSWORD)
    if encrypted:
        ftp.prot_p()
    ftp.voidcmd("TYPE I")
    data = ftp.transfercmd(f"STOR {name}")
    data.sendall(part)
    if control == "lost":
        ftp.file.close()
        end(ftp.sock, by)
        # The server may have been quicker to end it.
        with contextlib.suppress(OSError):
            end(data, by)
        return None
    if by == "goodbye":
        data.unwrap().close()
    else:
        end(data, by)
    reply = reply_to(ftp)
    ftp.quit()
    return reply


def cut_sftp(server, name, part, by):
    """`by`: "reset" or "end" of the connection, or "close" of the file."""
    connection = socket.create_connection(("127.0.0.1", server.sftp), PATIENCE_S)
    transport = paramiko.Transport(connection)
    transport.connect(username=ACCOUNT, password=PASSWORD)
    sftp = paramiko.SFTPClient.from_transport(transport)
    # Each write waits for its answer: the server has everything when the connection ends.
    file = sftp.open(name, "wb")
    file.write(part)
    if by == "close":
        file.close()
    else:
        # paramiko's thread reads the connection, which it therefore does not close at once.
        end(connection.dup() if by == "end" else connection, by)
    transport.close()


# How a cut is made ("kept" and "lost": the control connection), what a client that is still there hears, and whether no
# server could know.
Way = collections.namedtuple("Way", "protocol by control answer is_taken")
WAYS = [
    Way("ftp", "reset", "kept", "426", False),
    Way("ftp", "reset", "lost", None, False),
    Way("ftp", "end", "lost", None, False),
    Way("ftp", "end", "kept", "226", True),
    Way("ftps", "reset", "kept", "426", False),
    Way("ftps", "reset", "lost", None, False),
    Way("ftps", "end", "lost", None, False),
    Way("ftps", "end", "kept", "426", False),
    Way("ftps", "goodbye", "kept", "226", True),
    Way("sftp", "reset", None, None, False),
    Way("sftp", "end", None, None, False),
    Way("sftp", "close", None, None, True),
]


def cut_all(server):
    """Every cut; the names of the files that no server could know to be cut."""
    taken = set()
    for way in WAYS:
        for kind, size in SIZES.items():
            for tenth in range(1, 10):
                name = f"{way.protocol}-{way.by}-{way.control}-{kind}-{tenth}.hl7"
                whole = content(name, size)
                part = whole[: len(whole) * tenth // 10]
                if way.protocol == "sftp":
                    cut_sftp(server, name, part, way.by)
                else:
                    answer = cut_ftp(server, way.protocol == "ftps", name, part, way.by, way.control)
                    assert answer == way.answer, f"{name}: {answer}"
                taken |= {name} if way.is_taken else set()
        words = " ".join(word for word in way[:3] if word)
        print(f"   {words}: {len(SIZES) * 9} cuts")
    return taken


def check(server, site, taken):
    until = time.monotonic() + PATIENCE_S
    while any(server.ask("status")["jobs"][state] for state in ("queued", "processing", "retrying")):
        assert time.monotonic() < until, "the backlog does not drain"
    jobs = server.ask("queue", "list", "--limit", "1000")
    assert {job["name"] for job in jobs} == taken, {job["name"] for job in jobs} ^ taken
    for job in jobs:
        assert job["state"] == "error" and job["reason"].startswith("truncated"), job
    delivered = list((site / "data" / "delivered").rglob("*.hl7"))
    assert not delivered, f"{len(delivered)} messages were delivered"


def main():
    # It tells of each connection that it lost.
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as site:
        site = pathlib.Path(site)
        subprocess.run([PROGRAM, "init", f"{site}/made"], check=True, stdout=subprocess.DEVNULL)
        (site / "tidegate.toml").write_text(CONFIG)
        (site / "orgs.d").mkdir()
        add = [PROGRAM, "org", "add", "ACME01", "--account", ACCOUNT, "--password-stdin"]
        environment = {**os.environ, "TIDEGATE_CONFIG": f"{site}/tidegate.toml"}
        subprocess.run(add, input=PASSWORD, text=True, check=True, stdout=subprocess.DEVNULL, env=environment)
        with Server(site) as server:
            taken = cut_all(server)
            server.stop()
        with Server(site) as server:
            check(server, site, taken)
        cuts = len(WAYS) * len(SIZES) * 9
        print(f"ok - {cuts} cuts: {len(taken)} that nobody could tell are in error as truncated, the others left no job")


main()

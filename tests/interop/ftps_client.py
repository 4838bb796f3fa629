"""Python's ftplib over TLS. Arguments: port, implicit port, account, password, certificate."""

import ftplib
import io
import socket
import ssl
import sys

PORT, IMPLICIT, ACCOUNT, PASSWORD, CA = int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:6]
WHOLE = (
    b"BHS|^~\\&|EHR|ACME\r"
    b"MSH|^~\\&|EHR|ACME|IIS|STATE|20240308120000-0600||VXU^V04^VXU_V04|PY1|P|2.5.1\r"
    b"PID|1||12345^^^ACME^MR||TEST^CHILD||20200101|F\r"
    b"BTS|1\r"
)


class Implicit(ftplib.FTP_TLS):
    """TLS from the first byte on, which ftplib does not know by itself."""

    def connect(self, host, port, timeout):
        self.host, self.port, self.timeout = host, port, timeout
        plain = socket.create_connection((host, port), timeout)
        self.af = plain.family
        self.sock = self.context.wrap_socket(plain, server_hostname=host)
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()
        return self.welcome


def login(version, kind=ftplib.FTP_TLS, port=PORT):
    context = ssl.create_default_context(cafile=CA)
    context.minimum_version = context.maximum_version = version
    ftp = kind(context=context)
    ftp.connect("localhost", port, timeout=30)
    if kind is ftplib.FTP_TLS:
        ftp.auth()
    ftplib.FTP.login(ftp, ACCOUNT, PASSWORD)
    ftp.prot_p()
    return ftp


def upload_and_look(ftp):
    # storbinary raises unless the server says close_notify, too.
    reply = ftp.storbinary("STOR python.hl7", io.BytesIO(WHOLE))
    assert reply.startswith("226"), reply
    assert ftp.size("inbox/python.hl7") in (None, len(WHOLE))
    responses = [name for name in ftp.nlst("outbox") if name.endswith(".response")]
    if responses:
        fetched = io.BytesIO()
        ftp.retrbinary("RETR outbox/" + responses[0].removeprefix("outbox/"), fetched.write)
        assert b"MSA|" in fetched.getvalue()
    ftp.quit()
    return bool(responses)


def drop(ftp, name, data):
    """Uploads and drops the connection below TLS without a word."""
    ftp.voidcmd("TYPE I")
    connection = ftp.transfercmd("STOR " + name)
    connection.sendall(data)
    below = socket.socket(fileno=connection.detach())
    below.shutdown(socket.SHUT_WR)
    below.close()
    try:
        return ftp.voidresp()
    except ftplib.Error as error:
        return str(error)


def main():
    fetched = False
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        fetched |= upload_and_look(login(version))
        fetched |= upload_and_look(login(version, Implicit, IMPLICIT))
    assert fetched, "no response was there to fetch"
    ftp = login(ssl.TLSVersion.TLSv1_3)
    assert drop(ftp, "dropped.hl7", WHOLE[:-1]).startswith("426")
    assert drop(ftp, "dropped.hl7", WHOLE).startswith("226")
    # Why an upload is refused has to be read, although all of it is sent first.
    try:
        ftp.storbinary("STOR outbox/refused.hl7", io.BytesIO(bytes(4 << 20)))
        raise AssertionError("an upload into the outbox was taken")
    except ftplib.error_perm as refused:
        assert str(refused).startswith("550"), refused
    ftp.quit()


main()

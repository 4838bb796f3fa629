"""Python's ftplib as a vendor's script would use it. Arguments: port, account, password, engine."""

import ftplib
import io
import socket
import sys

PORT, ACCOUNT, PASSWORD, ENGINE = int(sys.argv[1]), *sys.argv[2:5]
MESSAGE = (
    b"MSH|^~\\&|EHR|ACME|IIS|STATE|20240308120000-0600||VXU^V04^VXU_V04|PY1|P|2.5.1\r"
    b"PID|1||12345^^^ACME^MR||TEST^CHILD||20200101|F\r"
)


def login():
    ftp = ftplib.FTP()
    ftp.connect("127.0.0.1", PORT, timeout=30)
    ftp.login(ACCOUNT, PASSWORD)
    return ftp


def abort(ftp):
    """ftplib sends ABOR as urgent data, which libunftp does not read."""
    ftp.voidcmd("TYPE I")
    data = ftp.transfercmd("STOR aborted.hl7")
    data.sendall(MESSAGE)
    assert ftp.abort().startswith("426")
    data.close()
    assert ftp.getmultiline().startswith("226")
    ftp.quit()


def main():
    ftp = login()
    reply = ftp.storbinary("STOR python.hl7", io.BytesIO(MESSAGE))
    assert reply.startswith("226"), reply
    ftp.quit()

    if ENGINE == "tidegate":
        abort(login())

    # The client vanishes in the middle: data and control connection both close, as when it is killed.
    ftp = login()
    ftp.voidcmd("TYPE I")
    data = ftp.transfercmd("STOR broken.hl7")
    data.sendall(MESSAGE)
    data.shutdown(socket.SHUT_RDWR)
    ftp.sock.shutdown(socket.SHUT_RDWR)
    data.close()
    ftp.close()

    # The same by reset of the data connection: here the server can answer. More is sent than buffers hold, so
    # that the server has taken the connection before it is reset: libunftp says nothing more otherwise.
    ftp = login()
    ftp.voidcmd("TYPE I")
    data = ftp.transfercmd("STOR reset.hl7")
    data.sendall(MESSAGE * 150_000)
    data.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    data.close()
    try:
        reply = ftp.voidresp()
        raise AssertionError(f"a reset upload was answered with {reply}")
    except ftplib.Error:
        pass
    names = ftp.nlst("inbox")
    assert not {"reset.hl7", "broken.hl7", "aborted.hl7"} & set(names), names
    ftp.quit()


main()

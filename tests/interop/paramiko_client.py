"""paramiko as a vendor's script would use it. Arguments: port, account, password, a large file."""

import io
import sys

import paramiko

PORT, ACCOUNT, PASSWORD, LARGE = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
MESSAGE = (
    b"MSH|^~\\&|EHR|ACME|IIS|STATE|20240308120000-0600||VXU^V04^VXU_V04|PM1|P|2.5.1\r"
    b"PID|1||12345^^^ACME^MR||TEST^CHILD||20200101|F\r"
)


def login(password=PASSWORD):
    transport = paramiko.Transport(("127.0.0.1", PORT))
    transport.connect(username=ACCOUNT, password=password)
    return transport, paramiko.SFTPClient.from_transport(transport)


def refused(error, action):
    try:
        action()
    except error:
        return
    raise AssertionError("it was not refused")


def log_in_with_a_foreign_key_and_a_password():
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    # The usual transport asks for the service anew before the password, which nobody answers: see docs/conformance.md.
    client.connect(
        "127.0.0.1",
        PORT,
        ACCOUNT,
        PASSWORD,
        pkey=paramiko.RSAKey.generate(2048),
        look_for_keys=False,
        allow_agent=False,
        transport_factory=paramiko.ServiceRequestingTransport,
    )
    assert {"inbox", "outbox"} <= set(client.open_sftp().listdir())
    client.close()


def main():
    log_in_with_a_foreign_key_and_a_password()
    refused(paramiko.AuthenticationException, lambda: login("wrong-horse"))

    transport, sftp = login()
    # Looks at the file afterwards and compares its length.
    sftp.putfo(io.BytesIO(MESSAGE), "paramiko.hl7", confirm=True)
    assert sftp.stat("inbox/paramiko.hl7").st_size == len(MESSAGE)
    sftp.putfo(io.BytesIO(MESSAGE), "paramiko-renamed.hl7.tmp")
    sftp.rename("paramiko-renamed.hl7.tmp", "paramiko-renamed.hl7")
    sftp.putfo(io.BytesIO(MESSAGE), "paramiko-posix.hl7.tmp")
    sftp.posix_rename("paramiko-posix.hl7.tmp", "paramiko-posix.hl7")
    sftp.utime("paramiko-posix.hl7", (1, 1))
    sftp.put(LARGE, "paramiko-large.bin", confirm=True)
    names = {entry.filename: entry for entry in sftp.listdir_attr("inbox")}
    assert {"paramiko.hl7", "paramiko-renamed.hl7", "paramiko-posix.hl7"} <= set(names), names
    assert "paramiko-posix.hl7.tmp" not in names
    refused(IOError, lambda: sftp.open("inbox/paramiko.hl7", "rb"))
    refused(IOError, lambda: sftp.open("paramiko.hl7", "ab"))
    refused(IOError, lambda: sftp.mkdir("inbox"))

    # Goes on with what is there; a channel of its own for each file, over one connection.
    for number in range(10):
        sftp.close()
        sftp = paramiko.SFTPClient.from_transport(transport)
        with sftp.open("paramiko-appended.hl7.tmp", "ab") as file:
            assert file.tell() == number * len(MESSAGE), file.tell()
            file.write(MESSAGE)
    assert sftp.stat("paramiko-appended.hl7.tmp").st_size == 10 * len(MESSAGE)
    sftp.remove("paramiko-appended.hl7.tmp")

    # paramiko does not look at the status of a CLOSE: it notices that the channel has ended, before it asks or while it
    # waits for the answer, and has an error for each.
    file = sftp.open("paramiko-hole.hl7", "wb")
    file.seek(10)
    file.write(MESSAGE)
    file.close()
    refused((OSError, paramiko.SSHException), lambda: sftp.stat("inbox"))
    sftp = paramiko.SFTPClient.from_transport(transport)
    refused(IOError, lambda: sftp.stat("inbox/paramiko-hole.hl7"))
    transport.close()


main()

"""200 sessions at once, half by FTP and half by SFTP: all log in, then all upload, then all say goodbye.

Arguments: FTP port, SFTP port, account, password. Needs asyncssh."""

import asyncio
import ftplib
import io
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import asyncssh

FTP_PORT, SFTP_PORT, ACCOUNT, PASSWORD = int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:5]
EACH = 100
# For all of them together; who waits for so long has found a server that hangs.
PATIENCE_S = 300
CONTENT = b"MSH|^~\\&|EHR|ACME|IIS|STATE|20240308120000-0600||VXU^V04^VXU_V04|P1|P|2.5.1\r"
# Of the FTP sessions and the loop of the SFTP ones.
everybody_is_in = threading.Barrier(EACH + 1, timeout=PATIENCE_S)
everybody_has_sent = threading.Barrier(EACH + 1, timeout=PATIENCE_S)


def by_ftp(number):
    client = ftplib.FTP(timeout=PATIENCE_S)
    client.connect("127.0.0.1", FTP_PORT)
    client.login(ACCOUNT, PASSWORD)
    everybody_is_in.wait()
    reply = client.storbinary(f"STOR session-ftp-{number}.hl7", io.BytesIO(CONTENT))
    assert reply.startswith("226"), reply
    everybody_has_sent.wait()
    client.quit()


async def login():
    options = {"username": ACCOUNT, "password": PASSWORD, "known_hosts": None, "client_keys": None, "login_timeout": PATIENCE_S}
    return await asyncssh.connect("127.0.0.1", SFTP_PORT, **options)


async def upload(connection, number):
    async with connection.start_sftp_client() as sftp:
        async with sftp.open(f"session-sftp-{number}.hl7", "wb") as file:
            await file.write(CONTENT)


async def by_sftp():
    connections = await asyncio.gather(*(login() for _ in range(EACH)))
    await asyncio.to_thread(everybody_is_in.wait)
    await asyncio.gather(*(upload(connection, number) for number, connection in enumerate(connections)))
    await asyncio.to_thread(everybody_has_sent.wait)
    for connection in connections:
        connection.close()
    await asyncio.gather(*(connection.wait_closed() for connection in connections))


with ThreadPoolExecutor(EACH) as pool:
    sessions = [pool.submit(by_ftp, number) for number in range(EACH)]
    asyncio.run(asyncio.wait_for(by_sftp(), PATIENCE_S))
    for session in sessions:
        session.result()

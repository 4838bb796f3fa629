"""asyncssh with an upload that hardly grows although its sender asks for a lot, on a server that gives it a short time.
Arguments: port, account, password."""

import asyncio
import sys

import asyncssh

PORT, ACCOUNT, PASSWORD = int(sys.argv[1]), sys.argv[2], sys.argv[3]
# More than fits into memory: that much is kept.
BEGINNING = b"x" * 100_000
REQUESTS_PER_BYTE = 1000
ALL_S_MAX = 120


class Client(asyncssh.SSHClient):
    def __init__(self):
        self.ended = asyncio.get_running_loop().create_future()

    def connection_lost(self, error):
        self.ended.set_result(error)


async def connect():
    options = {"username": ACCOUNT, "password": PASSWORD, "known_hosts": None, "client_keys": None}
    return await asyncssh.create_connection(Client, "127.0.0.1", PORT, **options)


async def trickle():
    """Asks for as much as it can and sends a byte now and then; what the server says at last."""
    connection, client = await connect()
    sftp = await connection.start_sftp_client()
    file = await sftp.open("trickle.bin", "wb")
    await file.write(BEGINNING)
    try:
        while True:
            for _ in range(REQUESTS_PER_BYTE):
                await sftp.stat("inbox")
            await file.write(b"y")
    except asyncssh.Error:
        return await client.ended


async def go_on():
    connection, _ = await connect()
    async with connection, connection.start_sftp_client() as sftp:
        # It is there a moment after the session has ended.
        while not await sftp.exists("trickle.bin"):
            pass
        assert await sftp.getsize("trickle.bin") >= len(BEGINNING)
        async with sftp.open("trickle.bin", "ab") as file:
            await file.write(b"z")


async def main():
    said = await trickle()
    assert isinstance(said, asyncssh.DisconnectError) and said.reason.startswith("the transfer stalled"), said
    await go_on()


asyncio.run(asyncio.wait_for(main(), ALL_S_MAX))

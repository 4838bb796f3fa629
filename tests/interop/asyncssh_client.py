"""asyncssh, which writes many blocks at once. Arguments: port, account, password, a large file."""

import asyncio
import sys

import asyncssh

PORT, ACCOUNT, PASSWORD, LARGE = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
UPLOAD_S_MAX = 120


async def upload(rekey_bytes, name):
    options = {"username": ACCOUNT, "password": PASSWORD, "known_hosts": None, "client_keys": None}
    async with asyncssh.connect("127.0.0.1", PORT, rekey_bytes=rekey_bytes, **options) as connection:
        async with connection.start_sftp_client() as sftp:
            await sftp.put(LARGE, name, block_size=32768, max_requests=128)
            assert (await sftp.stat(f"inbox/{name}")).size == 64 << 20
            assert await sftp.exists("/inbox") and not await sftp.exists("nothing")


async def main():
    for rekey_bytes in (16 << 20, 1 << 20):
        name = f"asyncssh-{rekey_bytes}.bin"
        await asyncio.wait_for(upload(rekey_bytes, name), UPLOAD_S_MAX)


asyncio.run(main())

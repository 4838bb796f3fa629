"""A mail server for one test, on 127.0.0.1:25: takes everything and appends it to a file. mail.py FILE"""

import socketserver
import sys


class Session(socketserver.StreamRequestHandler):
    """One client, RFC 5321."""

    def say(self, reply):
        self.wfile.write(reply.encode() + b"\r\n")

    def handle(self):
        self.say("220 mail.test")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"DATA":
                self.say("354 go on")
                self.take()
            if verb == b"QUIT":
                self.say("221 bye")
                return
            self.say("250 ok")

    def take(self):
        with open(sys.argv[1], "ab") as file:
            for line in self.rfile:
                if line == b".\r\n":
                    return
                file.write(line)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


with Server(("127.0.0.1", 25), Session) as server:
    open(sys.argv[1], "ab").close()
    server.serve_forever()

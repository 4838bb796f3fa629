// A mail server that takes every mail, forgets it, and says where it listens.
import { createServer } from "node:net";

const server = createServer((socket) => {
  let inData = false, rest = "";
  const say = (text) => socket.write(`${text}\r\n`);
  socket.on("error", () => {});
  socket.on("data", (bytes) => {
    const lines = (rest + bytes).split("\r\n");
    rest = lines.pop();
    for (const line of lines) {
      if (inData) {
        if (line === ".") { inData = false; say("250 taken"); }
      } else if (line === "DATA") {
        inData = true;
        say("354 go on");
      } else { say("250 fine"); }
    }
  });
  say("220 ready");
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));

// basic-ftp and ssh2-sftp-client as a vendor's script would use them. Arguments: send or fetch, FTP port, SFTP port, account,
// password, file.
import assert from 'node:assert';
import { readFileSync, statSync } from 'node:fs';
import { Client } from 'basic-ftp';
import SftpClient from 'ssh2-sftp-client';

const [what, port, sshPort, user, password, file] = process.argv.slice(2);
const patience = 120_000;

async function sendByFtp(client, name) {
  await client.uploadFrom(file, `${name}.hl7`);
  await client.uploadFrom(file, `${name}.tmp`);
  await client.rename(`${name}.tmp`, `${name}-renamed.hl7`);
  const listed = (await client.list('inbox')).map((entry) => entry.name);
  assert(listed.includes(`${name}.hl7`) && listed.includes(`${name}-renamed.hl7`), 'list');
  assert.equal(await client.size(`inbox/${name}.hl7`), statSync(file).size);
  await assert.rejects(client.downloadTo('node-answer', `inbox/${name}.hl7`), { code: 550 });
}

async function fetchByFtp(client, name) {
  const answers = (await client.list('outbox')).map((entry) => entry.name);
  const ours = answers.filter((answer) => answer.startsWith(name) && answer.endsWith('.response'));
  assert.equal(ours.length, 2, 'answers');
  for (const answer of ours) {
    await client.downloadTo('node-answer', `outbox/${answer}`);
    assert(readFileSync('node-answer', 'latin1').includes('MSA|AA|'));
    await client.remove(`outbox/${answer}`);
  }
}

for (const secure of [false, true]) {
  const client = new Client(patience);
  const secureOptions = { rejectUnauthorized: false };
  await client.access({ host: '127.0.0.1', port: Number(port), user, password, secure, secureOptions });
  await (what === 'send' ? sendByFtp : fetchByFtp)(client, `node-ftp-${secure}`);
  client.close();
}

const sftp = new SftpClient();
await sftp.connect({ host: '127.0.0.1', port: Number(sshPort), username: user, password, readyTimeout: patience });
if (what === 'send') {
  await sftp.put(file, '/node-sftp.hl7');
  await sftp.fastPut(file, '/inbox/node-sftp.tmp');
  await sftp.rename('/inbox/node-sftp.tmp', '/inbox/node-sftp-renamed.hl7');
  assert.equal((await sftp.stat('/inbox/node-sftp.hl7')).size, statSync(file).size);
} else {
  const ours = (await sftp.list('/outbox', (entry) => /^node-sftp.*response$/.test(entry.name))).map((entry) => entry.name);
  assert.equal(ours.length, 2, 'answers');
  for (const answer of ours) {
    assert((await sftp.get(`/outbox/${answer}`)).toString('latin1').includes('MSA|AA|'));
    await sftp.delete(`/outbox/${answer}`);
  }
}
await sftp.end();

// npm's soap, made from the service's own description: in SOAP 1.2, and in 1.1, which it speaks unless it is told.
import assert from 'node:assert';
import fs from 'node:fs';
import https from 'node:https';
import soap from 'soap';

const ca = fs.readFileSync(process.env.SSL_CA);
const agent = new https.Agent({ ca });
const message = (number) =>
  `MSH|^~\\&|EHR|CLINIC|IIS|STATE|20260401120000-0600||VXU^V04^VXU_V04|NODE-${number}|P|2.5.1|||ER|AL|||||Z22^CDCPHINVS\r` +
  'PID|1||7^^^CLINIC^MR||TESTPATIENT^JANE||20200101|F\r';

for (const forceSoap12Headers of [true, false]) {
  const options = { forceSoap12Headers, wsdl_options: { httpsAgent: agent } };
  const client = await soap.createClientAsync(`${process.env.SITE}/soap?wsdl`, options);
  client.setSecurity(new soap.ClientSSLSecurity(undefined, undefined, ca, {}));
  const [echo] = await client.connectivityTestAsync({ echoBack: 'a & b' });
  assert.equal(echo.return, 'a & b');
  const number = forceSoap12Headers ? 12 : 11;
  const credentials = { username: 'acme', password: 'correct horse battery', facilityID: 'ACME01' };
  const [answer] = await client.submitSingleMessageAsync({ ...credentials, hl7Message: message(number) });
  assert.match(answer.return, new RegExp(`\\rMSA\\|AA\\|NODE-${number}\\r|\\nMSA\\|AA\\|NODE-${number}\\n`));
  const wrong = client.submitSingleMessageAsync({ ...credentials, password: 'wrong', hl7Message: message(99) });
  const refused = await wrong.then(() => assert.fail('no fault'), (error) => error);
  assert.match(JSON.stringify(refused.root ?? refused.body ?? refused.message), /SecurityFault/);
}
console.log('soap of npm is content');

"""zeep, made from the service's own description, says everything once."""

import os
import subprocess

import requests
import zeep
from zeep.exceptions import Fault, TransportError

SENTENCE = (
    "The server is temporarily unable to service your request due to maintenance downtime or capacity problems. "
    "Please try again later."
)
CDC = "{urn:cdc:iisb:2011}"
site, program = os.environ["SITE"], os.environ["PROGRAM"]


def message(number):
    return (
        f"MSH|^~\\&|EHR|CLINIC|IIS|STATE|20260401120000-0600||VXU^V04^VXU_V04|ZEEP-{number}|P|2.5.1|||ER|AL|||||"
        "Z22^CDCPHINVS\rPID|1||7^^^CLINIC^MR||TESTPATIENT^JANE&JO||20200101|F\r"
    )


session = requests.Session()
# Not what the environment says of certificates.
session.trust_env = False
session.verify = os.environ["SSL_CA"]
client = zeep.Client(f"{site}/soap?wsdl", transport=zeep.Transport(session=session))
service = client.service
print("zeep", zeep.__version__)


def submit(number, **other):
    return service.submitSingleMessage(
        **{"username": "acme", "password": "correct horse battery", "facilityID": "ACME01",
           "hl7Message": message(number), **other}
    )


def fault(name, call):
    try:
        call()
    except Fault as told:
        element = told.detail.find(f"{CDC}{name}")
        assert element is not None, (name, told.message)
        found = client.get_element(f"{CDC}{name}").parse(element, client.wsdl.types)
        assert int(found["Code"]) > 0 and found["Detail"], found
        return
    raise AssertionError(f"no {name}")


def closed(call):
    try:
        call()
    except TransportError as told:
        assert told.status_code == 503 and told.content.decode() == SENTENCE, told
        return
    raise AssertionError("not 503")


assert service.connectivityTest(echoBack="a & b <ü>") == "a & b <ü>"
acknowledgment = submit(1)
assert "\rMSA|AA|ZEEP-1\r" in acknowledgment, repr(acknowledgment)
assert submit(1) == acknowledgment, "the same again is answered with the same"
fault("SecurityFault", lambda: submit(2, password="wrong"))
fault("SecurityFault", lambda: submit(2, facilityID="OTHER"))
fault("MessageTooLargeFault", lambda: submit(2, hl7Message=message(2) + message(3)))
subprocess.run([program, "maintenance", "start", "--for", "30m", "--reason", "test"], check=True, stdout=subprocess.DEVNULL)
closed(lambda: service.connectivityTest(echoBack="x"))
closed(lambda: submit(2))
told = session.post(f"{site}/hl7", data="MSH", headers={"Content-Type": "application/hl7-v2"})
assert told.status_code == 503 and told.text == SENTENCE and 0 < int(told.headers["Retry-After"]) <= 1800
subprocess.run([program, "maintenance", "release", "--reason", "done"], check=True, stdout=subprocess.DEVNULL)
assert "\rMSA|AA|ZEEP-2\r" in submit(2)

"""Other people's HL7 programs on our messages and answers. Arguments: a directory with samples, each with its response.

hl7apy holds each message against the grammar of HL7 2.5.1; hl7 reads each response as a file of batches. Where they find
fault with what CDC's guide and NIST's profiles ask for, the difference stands in DIFFERENCES with its reason; one that is
listed and no longer found is told as well, so that the list stays true.
"""

import re
import sys
import tempfile
from pathlib import Path

import hl7
from hl7apy.exceptions import HL7apyException
from hl7apy.parser import parse_message

# What hl7apy says, and why we leave it so.
DIFFERENCES = {
    r"Missing required child \S*RXA_4$":
        "RXA-4 is required by 2.5.1 and optional in Z22 (CDC guide 1.5, RXA-4); real senders leave it out",
    r"Invalid children detected for <Segment MSH>: \[None\]$":
        "MSH-22 and MSH-23 are of HL7 2.7; the guide takes them over into 2.5.1 (CDC guide 1.5, MSH)",
    r"^Warning: Value HL7\d{4,5} not in table HL70396 ":
        "table 0396 has HL7nnnn for all tables of HL7; hl7apy looks for the letters",
    r"^Warning: Value (CDCREC|UCUM|NIP001|NIP002|NCIT|CDCPHINVS) not in table HL70396 ":
        "coding systems that the guide names and 2.5.1 does not (CDC guide 1.5, appendix A, table 0396)",
}


def faults(message):
    """What hl7apy finds wrong with a message."""
    with tempfile.NamedTemporaryFile("r") as report:
        try:
            parse_message(message, find_groups=True).validate(report_file=report.name)
        except HL7apyException as error:
            said = report.read().splitlines()
            return said or [f"{type(error).__name__}: {error}"]
        return [line for line in report.read().splitlines() if line.strip()]


def messages(text):
    """The messages of a file, without its envelope."""
    found = []
    for segment in text.split("\r"):
        if segment.startswith("MSH"):
            found.append([])
        if found and segment and segment[:3] not in ("FHS", "BHS", "BTS", "FTS"):
            found[-1].append(segment)
    return ["\r".join(segments) + "\r" for segments in found]


def validate(what, texts, seen):
    for text in texts:
        for fault in faults(text):
            reason = [pattern for pattern in DIFFERENCES if re.search(pattern, fault)]
            seen.update(reason)
            if not reason:
                sys.exit(f"{what}: hl7apy says {fault!r} of\n{text}".replace("\r", "\n"))
    print(f"ok - hl7apy finds {what} ({len(texts)}) valid")


def read_response(path, answered):
    """The response as hl7 reads it: its counts, its references, one acknowledgment for each message."""
    text = path.read_bytes().decode()
    file = hl7.parse_file(text)
    acknowledged = 0
    for batch in file:
        for ack in batch:
            assert str(ack.segment("MSH")[9]).startswith("ACK^"), ack
            assert str(ack.segment("MSA")[1]) in ("AA", "AE", "AR"), ack
            acknowledged += 1
        assert int(str(batch.trailer[1])) == len(batch), f"{path}: BTS-1"
    assert int(str(file.trailer[1])) == len(file), f"{path}: FTS-1"
    assert str(file.header[9]).endswith(".response"), f"{path}: FHS-9"
    assert acknowledged == answered, f"{path}: {acknowledged} acknowledgments, {answered} expected"
    return str(file.header[12]) if len(file.header) > 12 else ""


def main():
    samples = Path(sys.argv[1])
    seen = set()
    counted = {"clean": 60, "single": 1, "parties": 1, "defects": 12, "cut": 1}
    for name, answered in counted.items():
        response = samples / f"{name}.response"
        reference = read_response(response, answered)
        expected = {"clean": "SAMPLE-CLEAN", "defects": "SAMPLE-DEFECTS", "cut": "SAMPLE-CUT"}.get(name, "")
        assert reference == expected, f"{response}: FHS-12 is {reference!r}"
        validate(f"the acknowledgments of {name}.hl7", messages(response.read_bytes().decode()), seen)
    print(f"ok - hl7 reads {len(counted)} responses, with their counts and references")
    for name in ("clean", "single"):
        validate(f"the messages of {name}.hl7", messages((samples / f"{name}.hl7").read_bytes().decode()), seen)
    validate("the message with MSH-22 and MSH-23", messages((samples / "parties.hl7").read_bytes().decode()), seen)
    stale = set(DIFFERENCES) - seen
    if stale:
        sys.exit(f"listed as different and no longer found: {stale}")


main()

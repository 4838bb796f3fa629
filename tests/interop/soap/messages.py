"""What schemathesis sends as a message: whole ones, cut ones, and anything at all."""

import schemathesis
from hypothesis import strategies as st

WHOLE = (
    "MSH|^~\\&|EHR|CLINIC|IIS|STATE|20260401120000-0600||VXU^V04^VXU_V04|ANY-{number}|P|2.5.1|||ER|AL|||||Z22^CDCPHINVS\r"
    "PID|1||7^^^CLINIC^MR||TESTPATIENT^JANE||20200101|F\r"
)
whole = st.integers(0, 10**9).map(lambda number: WHOLE.format(number=number).encode())
cut = st.tuples(whole, st.integers(1, 200)).map(lambda pair: pair[0][: pair[1]])
schemathesis.openapi.media_type("application/hl7-v2", st.one_of(whole, cut, st.binary(min_size=1, max_size=4096)))

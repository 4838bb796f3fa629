//! The examples of CDC's guide (HL7 2.5.1 Implementation Guide for Immunization Messaging, release 1.5, appendix B), with the
//! line breaks of its pages taken out: messages as they stand there, and the acknowledgments it gives.
//!
//! Where we answer otherwise, the reason stands beside it.

use tidegate_hl7::{Code, Verdict, sample};

use crate::support::{judge, segments, through};

/// "Example VXU # 1-Basic message", pages 8 and 9 of the appendix.
const BASIC: &str = "\
MSH|^~\\&|MYEHR|DCS|MYIIS||201201130000-500||VXU^V04^VXU_V04|45646ug|P|2.5.1|||ER|AL|||||Z22^CDCPHINVS\r\
PID|1||432155^^^dcs^MR||Patient^Johnny^New^^^^L|Lastname^Sally^^^^^M|20110411|M||1002-5^Native American^HL70005|\
123 Any St^^Somewhere^WI^54000^^L||^PRN^PH^^^111^2320112|||||||||2186-5^not Hispanic^CDCREC\r\
NK1|1|Patient^Sally^^^^^L|MTH^Mom^HL70063|123 Any St^^Somewhere^WI^54000^^L\r\
ORC|RE||65929^DCS|||||||^Clerk^Myron||\r\
RXA|0|1|20110415||85^hep B, unspec^CVX|999|||01^historical^NIP001|||||||||||CP|A\r\
ORC|RE||65930^DCS||||||20120113|^Clerk^Myron||^Pediatric^Mary^^^^^^^^^^^^^^^^^^MD|||||||||Dabig Clinic System\r\
RXA|0|1|20120113||110^DTaP HIB IPV^CVX|0.5|mL^^UCUM||00^New admin^NIP001|^Sticker^Nurse^^^^^^^^^^^^^^^^^^RN|\
^^^DCS_DC||||xy3939|20141212|SKB^GlaxoSmithKline^MVX|||CP|A\r\
RXR|C28161^IM^NCIT^IM^^HL70162|RT^Right Thigh^HL70163\r\
OBX|1|CE|64994-7^Eligibility Status^LN|1|V02^Medicaid^HL70064||||||F||||||VXC40^vaccine level^CDCPHINVS\r\
OBX|2|DT|29769-7^VIS presented^LN|2|20120113||||||F\r\
OBX|3|CE|69764-9^Document type^LN|2|253088698300026411121116^Multivaccine VIS^cdcgs1vis||||||F\r\
ORC|RE||65949^DCS||||||20120113|^Clerk^Myron||^Pediatric^Mary^^^^^^^^^^^^^^^^^^MD|||||||||Dabig Clinic System\r\
RXA|0|1|20120113||48^HIB PRP-T^CVX|0.5|mL^^UCUM||00^New admin^NIP001|^Sticker^Nurse^^^^^^^^^^^^^^^^^^RN|\
^^^DCS_DC||||32k2a|20130309|PMC^sanofi^MVX|||CP|A\r\
RXR|C28161^IM^NCIT^IM^^HL70162|LT^left Thigh^HL70163\r\
OBX|4|CE|64994-7^Eligibility Status^LN|1|V02^Medicaid^HL70064||||||F||||||VXC40^vaccine level^CDCPHINVS\r\
OBX|5|DT|29769-7^VIS presented^LN|2|20120113||||||F\r\
OBX|6|CE|69764-9^Eligibility Status^LN|2|253088698300026411121116^Multivaccine VIS^cdcgs1vis||||||F\r\
";

/// The example with the time of its message given right: as printed, its offset `-500` lacks a digit.
fn basic() -> Vec<u8> {
    BASIC.replace("0000-500|", "0000-0500|").into_bytes()
}

/// The basic message with these order groups instead of its own.
fn with_orders(orders: &str) -> Vec<u8> {
    [&sample::without_segments(&basic(), &["ORC", "RXA", "RXR", "OBX"])[..], orders.as_bytes()].concat()
}

/// `SEG-field code severity code`, as in ERR-2 to ERR-5; each place once.
fn errors(verdict: &Verdict) -> Vec<String> {
    let mut told = Vec::new();
    for one in verdict.findings() {
        let (place, code, severity) = (one.location(), one.code(), one.severity().code());
        let segment = String::from_utf8(place.segment.to_vec()).unwrap();
        let field = if place.field > 0 { format!("-{}", place.field) } else { String::new() };
        let application = one.application_code().map_or(String::new(), |code| format!(" {code}"));
        told.push(format!("{}{field} {code} {severity}{application}", segment.trim()));
    }
    told.dedup();
    told
}

#[test]
fn the_basic_message_is_accepted_but_for_its_time_zone() {
    let verdict = judge(BASIC.as_bytes());
    assert_eq!(
        errors(&verdict),
        ["MSH-7 102 E 2", "MSH 100 E"],
        "offsets have four digits (HL7 2.5.1, 2.A.22)"
    );
    let verdict = judge(&basic());
    assert_eq!((verdict.code(), verdict.findings(), verdict.deliver()), (Code::Accept, &[][..], true));
}

#[test]
fn parts_of_messages_that_the_guide_shows_are_read_as_it_means_them() {
    for (what, orders, expected) in [
        (
            "VXU example 8, page 17: refusal",
            "ORC|RE||9999^DCS|||||||^Clerk^Myron\r\
             RXA|0|1|20091010||107^DTAP-NOS^CVX|999||||||||||||00^Parental refusal^NIP002||RE\r",
            // Z22's example is of a patient born 2011.
            &["RXA-3 102 E 1", "RXA 100 E", " 100 E"][..],
        ),
        (
            "VXU example 8, on a day after the patient's birth",
            "ORC|RE||9999^DCS|||||||^Clerk^Myron\r\
             RXA|0|1|20121010||107^DTAP-NOS^CVX|999||||||||||||00^Parental refusal^NIP002||RE\r",
            &[],
        ),
        (
            // Shown without its ORC, RXR, OBX and expiry date.
            "VXU example 9, page 18: adjuvant",
            "ORC|RE||1^DCS\r\
             RXA|0|1|20140907|20140907|160^Influenza H5N1 -2013^CVX^^^|0.5|mL^^UCUM||00^NEW IMMUNIZATION RECORD^NIP001|\
             1234567890^SMITH^SALLY^S|||||1234ad||IDB^ID Biomedical^MVX|||CP|A\r",
            &["RXA-16 101 W 7", "RXA 101 W 7", "RXA 101 W 6"],
        ),
        (
            "VXU example 11, page 19: partly given",
            "ORC|RE||1^DCS\r\
             RXA|0|1|20121010||03^MMR^CVX|0.5|mL^^UCUM||||||||A23E1||MSD^^MVX|||PA|A\r",
            // Its own statement IZ-31 wants RXA-9 for CP and PA.
            &["RXA-9 101 W 7"],
        ),
        (
            "page 29: a dose that is due, nothing given",
            "ORC|RE||1^DCS\r\
             RXA|0|1|20120412|20120412|998^No vaccine administered^CVX|999||||||||||||||NA\r\
             OBX|1|CE|30956-7^vaccine type^LN|1|17^HIB, NOS^CVX||||||F\r\
             OBX|3|DT|30980-7^Date vaccination due^LN|1|20090615||||||F|||20090415\r",
            &[],
        ),
    ] {
        assert_eq!(errors(&judge(&with_orders(orders))), expected, "{what}");
    }
}

/// An acknowledgment of the guide: where, a message that gets it, MSA-1, its ERR segments, ours, and why they differ.
type Ack = (
    &'static str,
    fn() -> Vec<u8>,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static str,
);

/// "Send acknowledgement of success" and "Send Error in ACK", pages 20 to 22.
const ACKS: &[Ack] = &[
    ("page 20: success", basic, "AA", &[], &[], ""),
    (
        "page 20: unrecognized version",
        || sample::with_field(&basic(), "MSH", 1, 12, "10.0"),
        "AR",
        &["MSH-12 203 E"],
        &["MSH-12 203 E"],
        "",
    ),
    (
        "page 21: no patient name",
        || sample::with_field(&basic(), "PID", 1, 5, ""),
        "AE",
        &["PID-5 101 E 7", "PID 100 E"],
        &["PID-5 101 E 7", "PID 100 E"],
        "",
    ),
    (
        "page 21: unusable vaccine code, other order groups are there",
        || sample::with_field(&basic(), "RXA", 2, 5, "110^DTaP HIB IPV^OURS"),
        "AE",
        &["RXA-5 103 E 5", "RXA-5 101 E 7", "RXA 100 E"],
        &["RXA-5 103 E 5", "RXA 100 E", " 100 E"],
        "that the field counts as empty is not said a second time; that we hold the whole message back is",
    ),
    (
        "page 21: no relationship of the next of kin",
        || sample::with_field(&basic(), "NK1", 1, 3, ""),
        "AE",
        &["NK1-3 101 E 7"],
        &["NK1-3 101 W 7"],
        "the message is delivered, so that its severity is W (table 0516: accepted, data may be lost)",
    ),
    (
        "page 22: PID-2 is not supported",
        || sample::with_field(&basic(), "PID", 1, 2, "123"),
        "AA",
        &["PID-2  W"],
        &[],
        "what is not expected is ignored without an error (table 3-1); and AA with a W contradicts the guide's own MSA-1",
    ),
    (
        "page 22: born after today",
        || sample::with_field(&basic(), "PID", 1, 7, "20991231"),
        "AE",
        &["PID-7 101 E 1", "PID 100 E"],
        &["PID-7 102 E 1", "PID 100 E"],
        "the field is there: 102, not 101 (required field missing)",
    ),
];

#[test]
fn acknowledgments_are_those_of_the_guide_or_differ_for_a_reason() {
    for (what, message, code, of_the_guide, ours, why) in ACKS {
        let verdict = judge(&message());
        assert_eq!(errors(&verdict), *ours, "{what}");
        assert_eq!(verdict.code().as_str(), *code, "{what}");
        assert_eq!(of_the_guide == ours, why.is_empty(), "{what}");
    }
}

#[test]
fn the_acknowledgment_of_success_has_the_fields_that_the_guide_shows() {
    let (_, response) = through(&basic());
    let header: Vec<&str> = segments(&response, "MSH")[0].split('|').collect();
    let expected = [(2, "MYIIS"), (4, "MYEHR"), (5, "DCS"), (8, "ACK^V04^ACK"), (10, "P"), (11, "2.5.1")];
    for (at, value) in expected.into_iter().chain([(14, "NE"), (15, "NE"), (20, "Z23^CDCPHINVS")]) {
        assert_eq!(header[at], value, "MSH-{}", at + 1);
    }
    assert_eq!(segments(&response, "MSA"), ["MSA|AA|45646ug"]);
}

/// "Message is rejected due to unrecognized message type", page 39, with the query of page 33. The guide leaves MSA-2
/// empty and tells no reason; HL7 requires the one, and a sender needs the other.
#[test]
fn a_query_is_rejected_for_its_type_as_the_guide_shows() {
    let query = "MSH|^~\\&|||||201405150010-0500||QBP^Q11^QBP_Q11|793543|P|2.5.1|||||||||Z34^CDCPHINVS\r\
                 QPD|Z34^Request Immunization History^CDCPHINVS|37374859|123456^^^MYEHR^MR|Child^Bobbie^Q^^^^L|\
                 Que^Suzy^^^^^M|20050512|M|10 East Main St^^Myfaircity^GA^^^L\r\
                 RCP|I|5^RD&records&HL70126\r";
    let (examined, response) = through(query.as_bytes());
    assert_eq!(examined.summary.counts.rejected, 1);
    let header: Vec<&str> = segments(&response, "MSH")[0].split('|').collect();
    assert_eq!((header[8], header[10]), ("ACK^Q11^ACK", "P"));
    assert_eq!(segments(&response, "MSA"), ["MSA|AR|793543"]);
    assert_eq!(errors(&judge(query.as_bytes())), ["MSH-9 200 E"]);
}

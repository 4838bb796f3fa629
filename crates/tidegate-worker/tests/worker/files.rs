//! Files of messages that pass the door on any day from 2024-03-02 on, and files that do not.

/// A message without a fault; `number` tells it from others.
pub(crate) fn message(number: u64) -> String {
    format!(
        "MSH|^~\\&|EHR|CLINIC|IIS|STATE|20240301120000-0600||VXU^V04^VXU_V04|M{number:06}|P|2.5.1|||ER|AL|||||Z22^CDCPHINVS\r\
         PID|1||{number}^^^CLINIC^MR||DOE^JANE||20200101|F\r\
         ORC|RE||{number}^EHR\r\
         RXA|0|1|20240301||20^DTaP^CVX|999|||01^Historical information^NIP001|||||||||||CP|A\r"
    )
}

/// A message whose patient has no name: acknowledged as AE, not delivered.
pub(crate) fn nameless(number: u64) -> String {
    message(number).replace("DOE^JANE", "")
}

/// A file of messages in one batch.
pub(crate) fn batch(messages: &[String]) -> Vec<u8> {
    let headers = "FHS|^~\\&|EHR|CLINIC\rBHS|^~\\&|EHR|CLINIC\r";
    format!("{headers}{}BTS|{}\rFTS|1\r", messages.concat(), messages.len()).into_bytes()
}

/// A file of good messages with these numbers.
pub(crate) fn good(numbers: std::ops::Range<u64>) -> Vec<u8> {
    batch(&numbers.map(message).collect::<Vec<_>>())
}

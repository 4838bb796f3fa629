//! The ways a field or a message can be wrong, with their codes.
//!
//! Invariant: codes of HL7 table 0357 and user table 0533 stand here and in the rule table only (CDC guide 1.5,
//! appendix A).

/// A way to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    Missing,
    ObservationMissing,
    NotInTable,
    TooLong,
    BadDate,
    ImpreciseTime,
    Future,
    BeforeBirth,
    DiffersFromStart,
    Contradicts,
    Unsupported,
    ControlByte,
    NotInCharset,
    SegmentMissing,
    SegmentRepeated,
    WithoutOrc,
    WithoutRxa,
    OutOfOrder,
    NotASegment,
    BadSeparators,
    NoOrders,
    Reused,
    Repeated,
    Oversize,
    Stray,
    ByRegistry,
    FileRefused,
    More,
    CountsAsMissing,
    GroupCountsAsMissing,
    NoGroupLeft,
    HeldBack,
}

impl Fault {
    /// HL7 table 0357.
    pub(crate) fn code(self) -> u16 {
        match self {
            Self::NoOrders | Self::Repeated | Self::More => 0,
            Self::SegmentMissing
            | Self::SegmentRepeated
            | Self::WithoutOrc
            | Self::WithoutRxa
            | Self::OutOfOrder
            | Self::NotASegment
            | Self::Stray
            | Self::CountsAsMissing
            | Self::GroupCountsAsMissing
            | Self::NoGroupLeft
            | Self::HeldBack => 100,
            Self::Missing | Self::ObservationMissing => 101,
            Self::TooLong
            | Self::BadDate
            | Self::ImpreciseTime
            | Self::Future
            | Self::BeforeBirth
            | Self::DiffersFromStart
            | Self::ControlByte
            | Self::NotInCharset => 102,
            Self::NotInTable | Self::Contradicts => 103,
            Self::Reused => 205,
            Self::Unsupported | Self::BadSeparators | Self::Oversize | Self::FileRefused => 207,
            Self::ByRegistry => 999,
        }
    }

    /// User table 0533.
    pub(crate) fn application_code(self) -> Option<u8> {
        match self {
            Self::Future | Self::BeforeBirth | Self::DiffersFromStart => Some(1),
            Self::BadDate | Self::ImpreciseTime => Some(2),
            Self::Contradicts => Some(3),
            Self::TooLong | Self::ControlByte | Self::NotInCharset => Some(4),
            Self::NotInTable => Some(5),
            Self::ObservationMissing => Some(6),
            Self::Missing => Some(7),
            _ => None,
        }
    }

    /// Whether it only says what follows from other faults of the message (CDC guide 1.5, table 3-1).
    pub(crate) fn is_consequence(self) -> bool {
        matches!(
            self,
            Self::CountsAsMissing | Self::GroupCountsAsMissing | Self::NoGroupLeft | Self::HeldBack
        )
    }

    /// What follows the name of the field, segment or line.
    pub(crate) fn phrase(self) -> &'static str {
        match self {
            Self::Missing => "is empty",
            Self::ObservationMissing => "is not reported for this vaccination",
            Self::NotInTable => "has a code that is not in its table",
            Self::TooLong => "is longer than allowed",
            Self::BadDate => "is not a real date given to the day",
            Self::ImpreciseTime => "is not a real time given to the minute",
            Self::Future => "is in the future",
            Self::BeforeBirth => "is before the patient's birth",
            Self::DiffersFromStart => "differs from the start of administration (RXA-3)",
            Self::Contradicts => "contradicts other fields of the segment",
            Self::Unsupported => "is not supported here",
            Self::ControlByte => "contains a control character",
            Self::NotInCharset => "does not name the character set the message is written in",
            Self::SegmentMissing => "is missing",
            Self::SegmentRepeated => "occurs more than once",
            Self::WithoutOrc => "has no ORC segment of its own before it",
            Self::WithoutRxa => "has no RXA segment after it",
            Self::OutOfOrder => "stands in the wrong place",
            Self::NotASegment => "is not an HL7 segment",
            Self::BadSeparators => "are unusable, so the message cannot be read",
            Self::NoOrders => "has no orders: taken as patient data only",
            Self::Reused => "was used before, on the same day, for another message",
            Self::Repeated => "was received before; the first copy counts and this one was not passed on",
            Self::Oversize => "is longer than the limit and was not read",
            Self::Stray => "belong to no message: no MSH segment stands before them",
            Self::ByRegistry => "was refused by the registry",
            Self::FileRefused => "was not processed",
            Self::More => "problems of this message are not listed",
            Self::CountsAsMissing => {
                "counts as missing because a required field is wrong, so the message was not accepted"
            }
            Self::GroupCountsAsMissing => {
                "counts as missing because a required field is wrong, and its order group with it"
            }
            Self::NoGroupLeft => "has no order group left that counts, and was not accepted",
            Self::HeldBack => "was held back as a whole because of its order groups with errors",
        }
    }
}

/// The text of a code of HL7 table 0357.
pub(crate) fn code_text(code: u16) -> &'static str {
    match code {
        0 => "Message accepted",
        100 => "Segment sequence error",
        101 => "Required field missing",
        102 => "Data type error",
        103 => "Table value not found",
        200 => "Unsupported message type",
        201 => "Unsupported event code",
        202 => "Unsupported processing ID",
        203 => "Unsupported version ID",
        205 => "Duplicate key identifier",
        207 => "Application internal error",
        _ => "Application error",
    }
}

/// The text of a code of user table 0533.
pub(crate) fn application_text(code: u8) -> &'static str {
    match code {
        1 => "Illogical Date error",
        2 => "Invalid Date",
        3 => "Illogical Value error",
        4 => "Invalid value",
        5 => "Table value not found",
        6 => "Required observation missing",
        _ => "Required data missing",
    }
}

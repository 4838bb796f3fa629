//! A document as a tree of elements with their namespaces.

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;

/// Elements inside elements.
const DEPTH_MAX: usize = 32;

/// Elements of a document.
const ELEMENTS_MAX: usize = 1_000;

/// Attributes of an element.
const ATTRIBUTES_MAX: usize = 100;

/// Why a document can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is not well-formed, or not UTF-8.
    #[error("this is no well-formed XML in UTF-8")]
    Malformed,
    /// It has a DTD, or a reference to an entity that only a DTD could explain.
    #[error("documents with a DTD or with entities of their own are not read")]
    Dtd,
    /// It is deeper, or has more elements or attributes, than any envelope.
    #[error("the document has too many elements, or too many inside each other")]
    TooMuch,
}

/// An element. Its namespace is empty if it has none.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// Its namespace.
    pub namespace: String,
    /// Its name, without a prefix.
    pub name: String,
    /// Its attributes, without declarations of namespaces.
    pub attributes: Vec<Attribute>,
    /// Its own text, without that of elements in it.
    pub text: String,
    /// Elements in it.
    pub children: Vec<Element>,
}

/// An attribute of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its namespace; empty if it has none.
    pub namespace: String,
    /// Its name, without a prefix.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// Names alone: texts are passwords and messages.
impl std::fmt::Debug for Element {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Element")
            .field("name", &self.name)
            .field("children", &self.children)
            .finish_non_exhaustive()
    }
}

impl Element {
    /// Reads a document; its one outermost element.
    pub fn read(document: &[u8]) -> Result<Self, ReadError> {
        let text = std::str::from_utf8(document).map_err(|_| ReadError::Malformed)?;
        let mut reader = NsReader::from_str(text.trim_start_matches('\u{feff}'));
        reader.config_mut().expand_empty_elements = true;
        let (mut open, mut root, mut count) = (Vec::<Self>::new(), None, 0);
        loop {
            let event = reader.read_event().map_err(|_| ReadError::Malformed)?;
            match event {
                Event::Start(start) => {
                    count += 1;
                    if open.len() == DEPTH_MAX || count > ELEMENTS_MAX {
                        return Err(ReadError::TooMuch);
                    }
                    if open.is_empty() && root.is_some() {
                        return Err(ReadError::Malformed);
                    }
                    open.push(Self::begin(&reader, &start)?);
                }
                Event::End(_) => {
                    let ended = open.pop().ok_or(ReadError::Malformed)?;
                    match open.last_mut() {
                        Some(outer) => outer.children.push(ended),
                        None => root = Some(ended),
                    }
                }
                Event::Text(text) => add(&mut open, &text)?,
                Event::CData(text) if open.is_empty() => drop(text),
                Event::CData(text) => add(&mut open, &text)?,
                Event::GeneralRef(reference) => add(&mut open, &meant(&reference)?)?,
                Event::DocType(_) => return Err(ReadError::Dtd),
                Event::Eof if open.is_empty() => return root.ok_or(ReadError::Malformed),
                Event::Eof => return Err(ReadError::Malformed),
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
    }

    fn begin(reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Result<Self, ReadError> {
        let (namespace, name) = reader.resolver().resolve_element(start.name());
        let (namespace, name) = (namespace_of(&namespace)?, name.as_ref().to_owned());
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| ReadError::Malformed)?;
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            if attributes.len() == ATTRIBUTES_MAX {
                return Err(ReadError::TooMuch);
            }
            let (namespace, name) = reader.resolver().resolve_attribute(attribute.key);
            let value =
                attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).map_err(|_| ReadError::Dtd)?;
            attributes.push(Attribute {
                namespace: namespace_of(&namespace)?,
                name: name.as_ref().to_owned(),
                value: value.into_owned(),
            });
        }
        Ok(Self { namespace, name, attributes, ..Self::default() })
    }

    /// Whether it is the element of that name.
    pub fn is(&self, namespace: &str, name: &str) -> bool {
        self.namespace == namespace && self.name == name
    }

    /// The first element in it of that name.
    pub fn child(&self, namespace: &str, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.is(namespace, name))
    }

    /// It, and every element in it, those that begin first before the others.
    pub fn all(&self) -> Vec<&Self> {
        let mut all = vec![self];
        all.extend(self.children.iter().flat_map(Self::all));
        all
    }
}

fn namespace_of(resolved: &ResolveResult<'_>) -> Result<String, ReadError> {
    match resolved {
        ResolveResult::Bound(Namespace(namespace)) => Ok((*namespace).to_owned()),
        ResolveResult::Unbound => Ok(String::new()),
        ResolveResult::Unknown(_) => Err(ReadError::Malformed),
    }
}

/// Outside of all elements there is room for blanks only.
fn add(open: &mut [Element], text: &str) -> Result<(), ReadError> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err(ReadError::Malformed),
    }
    Ok(())
}

fn meant(reference: &BytesRef<'_>) -> Result<String, ReadError> {
    match reference.resolve_char_ref().map_err(|_| ReadError::Malformed)? {
        Some(char) => Ok(char.to_string()),
        None => resolve_predefined_entity(reference).map(str::to_owned).ok_or(ReadError::Dtd),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Element, ReadError> {
        Element::read(text.as_bytes())
    }

    #[test]
    fn names_are_known_by_their_namespaces_and_texts_come_out_as_they_were_meant() {
        let root = read(
            "\u{feff}<?xml version='1.0' encoding='UTF-8'?><s:a xmlns:s='urn:s' xmlns='urn:d' s:m='1' n='2'>\
             <b>x&#xD;&amp;&lt;<![CDATA[<&>]]></b><!-- no --><c xmlns=''/></s:a>",
        )
        .unwrap();
        assert!(root.is("urn:s", "a") && root.child("urn:d", "b").is_some() && root.child("", "c").is_some());
        assert_eq!(root.child("urn:d", "b").unwrap().text, "x\r&<<&>");
        let attributes = root.attributes.iter().map(|one| (&*one.namespace, &*one.name, &*one.value));
        assert_eq!(attributes.collect::<Vec<_>>(), [("urn:s", "m", "1"), ("", "n", "2")]);
        assert_eq!(root.all().len(), 3);
        assert!(!format!("{root:?}").contains("x\\r"));
    }

    #[test]
    fn what_is_no_whole_document_is_refused() {
        let bad = [
            "",
            "x",
            "<a>",
            "</a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>x",
            "<p:a/>",
            "<a b='1' b='2'/>",
            "<a>&#0;</a>",
        ];
        for bad in bad {
            assert_eq!(read(bad), Err(ReadError::Malformed), "{bad}");
        }
        assert_eq!(Element::read(b"<a>\xff</a>"), Err(ReadError::Malformed));
    }

    #[test]
    fn nothing_is_expanded_and_nothing_goes_beyond_its_bounds() {
        let bomb = "<!DOCTYPE a [<!ENTITY b 'bbbb'><!ENTITY c '&b;&b;'>]><a>&c;</a>";
        for bad in [bomb, "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "<a>&b;</a>", "<a b='&c;'/>"] {
            assert_eq!(read(bad), Err(ReadError::Dtd), "{bad}");
        }
        let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert!(read(&nested(DEPTH_MAX)).is_ok());
        assert_eq!(read(&nested(DEPTH_MAX + 1)), Err(ReadError::TooMuch));
        let wide = |count: usize| format!("<a>{}</a>", "<b/>".repeat(count));
        assert!(read(&wide(ELEMENTS_MAX - 1)).is_ok());
        assert_eq!(read(&wide(ELEMENTS_MAX)), Err(ReadError::TooMuch));
        let many: Vec<_> = (0..=ATTRIBUTES_MAX).map(|n| format!(" a{n}='1'")).collect();
        let many = many.concat();
        assert_eq!(read(&format!("<a{many}/>")), Err(ReadError::TooMuch));
    }

    proptest! {
        #[test]
        fn any_bytes_may_come(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "[<>/&;#x! a:='\\[\\]CDATA-]{0,80}") {
            let _ = Element::read(&bytes);
            let _ = read(&text);
        }

        #[test]
        fn what_was_escaped_comes_back(text in any::<String>()) {
            if let Some(escaped) = crate::escape(&text) {
                prop_assert_eq!(read(&format!("<a>{escaped}</a>")).unwrap().text, text);
            }
        }
    }
}

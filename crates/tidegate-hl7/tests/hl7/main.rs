//! The door from outside: files in; verdicts, responses and reports out.

#[cfg(test)]
mod acks;
#[cfg(test)]
mod cascade;
#[cfg(test)]
mod charsets;
#[cfg(test)]
mod door;
#[cfg(test)]
mod duplicates;
#[cfg(test)]
mod envelope;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod guide;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod odd_files;
#[cfg(test)]
mod panics;
#[cfg(test)]
mod privacy;
#[cfg(test)]
mod rulebook;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod support;
#[cfg(test)]
mod test_mode;

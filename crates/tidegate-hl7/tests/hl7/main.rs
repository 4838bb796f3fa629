//! The door from outside: files in; verdicts, responses and reports out.

#[cfg(test)]
mod acks;
#[cfg(test)]
mod door;
#[cfg(test)]
mod duplicates;
#[cfg(test)]
mod envelope;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod odd_files;
#[cfg(test)]
mod panics;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod support;

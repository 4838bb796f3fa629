//! A target that is opened when it is first needed.
//!
//! Invariant: as long as it can't be opened it is away, and each use tries again; messages never go elsewhere.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use tidegate_domain::{DeliveryConfig, OrgCode};

use crate::deliver::{Deliver, DeliverError, Delivered, Key, open};

/// An organization's own target.
pub(super) struct Late {
    pub(super) config: DeliveryConfig,
    data_dir: PathBuf,
    target: OnceLock<Arc<dyn Deliver>>,
}

impl Late {
    pub(super) fn new(config: DeliveryConfig, data_dir: PathBuf) -> Self {
        Self { config, data_dir, target: OnceLock::new() }
    }

    fn target(&self) -> Result<&Arc<dyn Deliver>, DeliverError> {
        if let Some(target) = self.target.get() {
            return Ok(target);
        }
        let opened = open(&self.config, &self.data_dir).map_err(|error| DeliverError::Away {
            reason: error.to_string(),
            in_doubt: false,
            retry_after: None,
        })?;
        Ok(self.target.get_or_init(|| opened))
    }
}

impl Deliver for Late {
    fn deliver(&self, key: &Key, message: &[u8]) -> Result<Delivered, DeliverError> {
        self.target()?.deliver(key, message)
    }

    fn ask(&self, org: &OrgCode, query: &[u8]) -> Option<Result<Vec<u8>, DeliverError>> {
        match self.target() {
            Ok(target) => target.ask(org, query),
            Err(error) => Some(Err(error)),
        }
    }

    fn test(&self) -> Result<(), DeliverError> {
        self.target()?.test()
    }

    fn is_final(&self) -> bool {
        self.target.get().is_some_and(|target| target.is_final())
    }

    fn settle(&self) -> io::Result<()> {
        self.target.get().map_or(Ok(()), |target| target.settle())
    }
}

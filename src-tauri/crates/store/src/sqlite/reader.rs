//! A few read-only connections, lent one at a time.

use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Transaction};

use super::migrate;
use crate::StoreError;

/// Connections waiting for a reader. `None` after the store was closed.
pub(super) struct Readers {
    idle: Mutex<Option<Vec<Connection>>>,
    returned: Condvar,
}

impl Readers {
    pub(super) fn open(path: &Path, count: usize) -> Result<Self, StoreError> {
        let idle = (0..count).map(|_| migrate::open_reader(path)).collect::<Result<Vec<_>, _>>()?;
        Ok(Readers { idle: Mutex::new(Some(idle)), returned: Condvar::new() })
    }

    /// Runs `read` in one read transaction, so that all it sees is of one moment. Waits for a free connection.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let lent = Lent { readers: self, conn: Some(self.take()?) };
        let conn = lent.conn.as_ref().expect("a lent connection is there until it is given back");
        let transaction = conn.unchecked_transaction()?;
        read(&transaction)
    }

    /// Closes idle connections now and lent ones as they come back. Later reads fail.
    pub(super) fn close(&self) {
        *self.lock() = None;
        self.returned.notify_all();
    }

    fn take(&self) -> Result<Connection, StoreError> {
        let mut idle = self.lock();
        loop {
            match idle.as_mut() {
                None => return Err(StoreError::Failed("the store is closed".to_owned())),
                Some(connections) => {
                    if let Some(conn) = connections.pop() {
                        return Ok(conn);
                    }
                }
            }
            idle = self.returned.wait(idle).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<Connection>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives its connection back, also when a read panics.
struct Lent<'a> {
    readers: &'a Readers,
    conn: Option<Connection>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let (Some(conn), Some(idle)) = (self.conn.take(), self.readers.lock().as_mut()) {
            idle.push(conn);
        }
        self.readers.returned.notify_one();
    }
}

//! Ways in beside the token: signed-in browsers and shared sessions. Each has a secret of its own, of which only the
//! hash is kept; each ends by itself and can be taken back.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use orrery_store::{Store, StoreError, StoredGrant};
use orrery_types::{Grant, GrantKind};
use sha2::{Digest, Sha256};

use crate::{clock, token};

/// A browser stays signed in this long.
pub const BROWSER_MS: i64 = 90 * DAY_MS;
pub const DAY_MS: i64 = 86_400_000;
/// How exactly the last use is kept.
const USE_STEP_MS: i64 = 3_600_000;
const MOST_BROWSERS: usize = 100;

/// All grants in force, by the hash of their secret.
#[derive(Debug, Default)]
pub struct Grants {
    by_hash: RwLock<HashMap<String, Grant>>,
}

impl Grants {
    /// Reads what the store has.
    ///
    /// # Errors
    /// The store's own.
    pub fn load(store: &dyn Store) -> Result<Grants, StoreError> {
        let stored = store.grants()?.into_iter().map(|stored| (stored.hash, stored.grant)).collect();
        Ok(Grants { by_hash: RwLock::new(stored) })
    }

    /// Makes a grant and answers its secret, which nobody can read again.
    ///
    /// # Errors
    /// The store's own, or no random numbers.
    pub async fn give(&self, store: &dyn Store, grant: Grant) -> Result<(String, Grant), StoreError> {
        let random = |error: getrandom::Error| StoreError::Failed(error.to_string());
        let secret = clock::secret().map_err(random)?;
        let id = clock::secret().map_err(random)?;
        let grant = Grant { id: id[..16].to_owned(), ..grant };
        self.tidy(store, grant.created_ms).await?;
        store.put_grant(StoredGrant { hash: hash(&secret), grant: grant.clone() }).await?;
        self.write().insert(hash(&secret), grant.clone());
        Ok((secret, grant))
    }

    /// The grant that `secret` opens. `None` for unknown ones and those that ended.
    pub fn find(&self, kind: GrantKind, secret: &str, now_ms: i64) -> Option<Grant> {
        let grants = self.by_hash.read().unwrap_or_else(PoisonError::into_inner);
        grants.get(&hash(secret)).filter(|grant| grant.kind == kind && grant.expires_ms > now_ms).cloned()
    }

    /// Remembers the use of a grant; written down at most once an hour.
    pub async fn used(&self, store: &dyn Store, secret: &str, now_ms: i64) {
        let hash = hash(secret);
        let changed = {
            let mut grants = self.write();
            let Some(grant) = grants.get_mut(&hash) else { return };
            if grant.used_ms.is_some_and(|used| now_ms - used < USE_STEP_MS) {
                return;
            }
            grant.used_ms = Some(now_ms);
            grant.clone()
        };
        if let Err(error) = store.put_grant(StoredGrant { hash, grant: changed }).await {
            tracing::warn!(%error, "the use of a grant was not written down");
        }
    }

    /// Those in force, newest first. `current` is the secret of the browser that asks.
    pub fn list(&self, now_ms: i64, current: Option<&str>) -> Vec<Grant> {
        let current = current.map(hash);
        let grants = self.by_hash.read().unwrap_or_else(PoisonError::into_inner);
        let live = grants.iter().filter(|(_, grant)| grant.expires_ms > now_ms);
        let mut list: Vec<Grant> =
            live.map(|(hash, grant)| Grant { current: current.as_ref() == Some(hash), ..grant.clone() }).collect();
        list.sort_by(|a, b| b.created_ms.cmp(&a.created_ms).then_with(|| a.id.cmp(&b.id)));
        list
    }

    /// Takes a grant back. False when there was none.
    ///
    /// # Errors
    /// The store's own: then the grant still opens.
    pub async fn take_back(&self, store: &dyn Store, id: &str) -> Result<bool, StoreError> {
        store.remove_grants(vec![id.to_owned()]).await?;
        let mut grants = self.write();
        let before = grants.len();
        grants.retain(|_, grant| grant.id != id);
        Ok(grants.len() < before)
    }

    /// Forgets what ended, and the oldest browsers where there are too many.
    async fn tidy(&self, store: &dyn Store, now_ms: i64) -> Result<(), StoreError> {
        let mut gone: Vec<String> = Vec::new();
        {
            let mut grants = self.write();
            let mut browsers: Vec<(i64, String)> = Vec::new();
            for grant in grants.values() {
                if grant.expires_ms <= now_ms {
                    gone.push(grant.id.clone());
                } else if grant.kind == GrantKind::Browser {
                    browsers.push((grant.used_ms.unwrap_or(grant.created_ms), grant.id.clone()));
                }
            }
            browsers.sort();
            let too_many = browsers.len().saturating_sub(MOST_BROWSERS - 1);
            gone.extend(browsers.into_iter().take(too_many).map(|(_, id)| id));
            grants.retain(|_, grant| !gone.contains(&grant.id));
        }
        if gone.is_empty() { Ok(()) } else { store.remove_grants(gone).await.map(|_| ()) }
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, HashMap<String, Grant>> {
        self.by_hash.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(secret: &str) -> String {
    token::hex(&Sha256::digest(secret.as_bytes()))
}

/// A browser in a few words, from what it says of itself.
pub fn browser_words(user_agent: &str) -> String {
    let named = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    let browser = named(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chromium or Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = named(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Mac OS X", "macOS"),
        ("Windows", "Windows"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        _ => "A browser".to_owned(),
    }
}

//! Subscriptions: a client is told that what stands at an address has changed, and reads it again if it cares. Both kinds
//! that the protocol has had, a list that grows by handshake clients' requests and a request that stays open, are served by
//! the same [`follow`].
//!
//! Nothing is started for a subscription. A daemon that is not there has no sessions; it is looked for until it is.

use std::collections::BTreeMap;
use std::time::Duration;

use rmcp::model::ResourceUpdatedNotificationParam;
use rmcp::service::SubscriptionSink;
use rmcp::{Peer, RoleServer};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::address::{self, Address};
use crate::api::{ErrorCode, Event, RunState, Session};
use crate::client::{Client, ClientError, Place};

/// Addresses that one client may follow.
pub(super) const MOST: usize = 64;

/// Between two messages about one thing, at least: a chatty run must not keep its client reading.
const PAUSE: Duration = Duration::from_millis(500);

/// Between two looks for a daemon that is not there.
const RETRY: Duration = Duration::from_secs(1);

/// Who is told.
#[derive(Clone)]
pub(super) enum Teller {
    /// The stream of a request that stays open (2026-07-28).
    Stream(SubscriptionSink),
    /// The client, as those that open with a handshake expect it.
    Peer(Peer<RoleServer>),
}

impl Teller {
    /// Tells of a change; `false` where nobody listens any longer.
    async fn updated(&self, uri: &str) -> bool {
        let told = match self {
            Self::Stream(sink) => sink.notify_resource_updated(uri).await.is_ok(),
            Self::Peer(peer) => {
                let changed = ResourceUpdatedNotificationParam::new(uri);
                peer.notify_resource_updated(changed).await.is_ok()
            }
        };
        if !told {
            tracing::debug!("a subscriber is gone");
        }
        told
    }
}

/// Follows `uris` and tells of changes until the result is dropped. Each address that there is something at is told of once
/// at the beginning, so that nothing is lost between a client's last look and this one.
pub(super) fn follow(place: &Place, uris: &[String], teller: &Teller) -> JoinSet<()> {
    let mut following = JoinSet::new();
    let mut sessions = Vec::new();
    for uri in uris {
        match Address::parse(uri) {
            Some(Address::Sessions | Address::Session(_)) => sessions.push(uri.clone()),
            Some(Address::Output(id)) => {
                following.spawn(output(place.clone(), id, uri.clone(), teller.clone()));
            }
            None => {}
        }
    }
    if !sessions.is_empty() {
        following.spawn(follow_sessions(place.clone(), sessions, teller.clone()));
    }
    following
}

async fn follow_sessions(place: Place, uris: Vec<String>, teller: Teller) {
    let mut known = BTreeMap::new();
    loop {
        match watch_sessions(&place, &uris, &teller, &mut known).await {
            Ok(()) => return,
            Err(error) => tracing::debug!(%error, "sessions cannot be followed now"),
        }
        // Its sessions went with it.
        let gone = std::mem::take(&mut known);
        if !tell(&teller, &uris, &changed(&gone, &known)).await {
            return;
        }
        sleep(RETRY).await;
    }
}

/// Tells of changes until nobody listens; an error where the daemon is not there or goes away.
async fn watch_sessions(
    place: &Place,
    uris: &[String],
    teller: &Teller,
    known: &mut BTreeMap<String, Session>,
) -> Result<(), ClientError> {
    let client = Client::find(place.clone()).await?;
    let mut events = client.watch_sessions().await?;
    while let Some(event) = events.next().await? {
        let Event::Sessions(list) = event else {
            continue;
        };
        let now = list.sessions.into_iter();
        let now = now.map(|session| (address::of_session(&session), still(session)));
        let before = std::mem::replace(known, now.collect());
        if !tell(teller, uris, &changed(&before, known)).await {
            return Ok(());
        }
        sleep(PAUSE).await;
    }
    Err(ClientError::Gone)
}

/// A session without what changes by the mere passing of time.
fn still(mut session: Session) -> Session {
    if let Some(challenge) = &mut session.challenge {
        challenge.expires_in = 0;
    }
    session
}

/// The addresses of the sessions that are not what they were.
fn changed(before: &BTreeMap<String, Session>, now: &BTreeMap<String, Session>) -> Vec<String> {
    let new = now
        .iter()
        .filter(|(uri, session)| before.get(*uri) != Some(session));
    let gone = before.iter().filter(|(uri, _)| !now.contains_key(*uri));
    new.chain(gone).map(|(uri, _)| uri.clone()).collect()
}

/// Tells of those changes that are subscribed to; `false` where nobody listens any longer.
async fn tell(teller: &Teller, uris: &[String], changed: &[String]) -> bool {
    if changed.is_empty() {
        return true;
    }
    for uri in uris {
        if (uri == address::SESSIONS || changed.contains(uri)) && !teller.updated(uri).await {
            return false;
        }
    }
    true
}

async fn output(place: Place, id: String, uri: String, teller: Teller) {
    let mut from = 0;
    loop {
        match watch_output(&place, &id, &uri, &teller, &mut from).await {
            Ok(()) => return,
            Err(ClientError::Api(error)) if error.code == ErrorCode::UnknownRun => return,
            Err(error) => tracing::debug!(%error, "an output cannot be followed now"),
        }
        sleep(RETRY).await;
    }
}

/// Tells of more output until the run has ended or nobody listens.
async fn watch_output(
    place: &Place,
    id: &str,
    uri: &str,
    teller: &Teller,
    from: &mut u64,
) -> Result<(), ClientError> {
    let client = Client::find(place.clone()).await?;
    let mut events = client.follow(id, *from).await?;
    let (mut news, mut next) = (false, Instant::now());
    loop {
        tokio::select! {
            event = events.next() => match event?.ok_or(ClientError::Gone)? {
                Event::Output(output) => {
                    *from = output.from + output.bytes.len() as u64;
                    news = true;
                }
                Event::Run(run) if run.state == RunState::Ended => {
                    teller.updated(uri).await;
                    return Ok(());
                }
                Event::Run(_) | Event::Session(_) | Event::Sessions(_) | Event::Error(_) | Event::Unknown => {}
            },
            () = sleep_until(next), if news => {
                if !teller.updated(uri).await {
                    return Ok(());
                }
                (news, next) = (false, Instant::now() + PAUSE);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sessions(list: &[(&str, &str, u64)]) -> BTreeMap<String, Session> {
        let one = |(connection, state, expires_in): &(&str, &str, u64)| {
            let session: Session = serde_json::from_value(json!({
                "connection": connection, "module": "exo", "state": state,
                "since": "2026-01-02T03:04:05Z",
                "challenge": {"user_code": "A", "verification_uri": "https://x.test", "expires_in": expires_in},
            }))
            .expect("it is a session");
            (address::of_session(&session), still(session))
        };
        list.iter().map(one).collect()
    }

    #[test]
    fn what_is_new_gone_or_different_has_changed() {
        let before = sessions(&[("A", "ready", 9), ("B", "ready", 9), ("C", "ready", 9)]);
        let now = sessions(&[("A", "ready", 8), ("B", "running", 9), ("D", "ready", 9)]);
        assert_eq!(
            changed(&before, &now),
            ["B", "D", "C"].map(|name| format!("m365://sessions/{name}/exo"))
        );
        assert!(changed(&now, &now).is_empty());
    }
}

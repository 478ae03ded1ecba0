//! `--behind`: times that are longer than those of the pool of connections in front of the server.

use std::time::Duration;

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::Args;
use crate::tools::peers::Behind;
use crate::units::Span;

/// By how much the promise is longer than the pool keeps an idle connection, so that clocks may differ.
const MARGIN: Duration = Duration::from_secs(10);

impl Args {
    /// Sets what the pool asks for, where the command line does not say otherwise.
    pub(in crate::cli) fn outlive_pool(&mut self, matches: &ArgMatches) {
        let Some((pool, idle)) = self.pool() else { return };
        let is_default = |flag: &str| matches.value_source(flag) == Some(ValueSource::DefaultValue);
        let promise = &mut self.keep_alive.keep_alive_timeout;
        if is_default("keep_alive_timeout") {
            *promise = Span(promise.0.max(idle + MARGIN));
        }
        if let (true, Behind::Known(peer)) = (is_default("drain_delay"), pool) {
            self.process.drain_delay = Span(peer.health_checks.unwrap_or(self.process.drain_delay.0));
        }
    }

    /// Checks that there is a time that could be outlived.
    pub(super) fn check_behind(&self) -> Result<(), String> {
        match self.keep_alive.behind {
            Some(Behind::Known(peer)) if peer.idle.is_none() => Err(format!(
                "'--behind {}': {} keeps idle connections without a limit; set one there, and give it: --behind 60s",
                peer.name, peer.title,
            )),
            _ => Ok(()),
        }
    }

    /// What was set for the pool, in one line.
    pub fn behind(&self) -> Option<String> {
        let (pool, idle) = self.pool()?;
        let KeepAliveTimes { promise, grace } = self.times();
        let (idle, delay) = (Span(idle), self.process.drain_delay);
        Some(format!(
            "behind {pool}, which keeps idle connections for {idle}: --keep-alive-timeout {promise} \
             --keep-alive-grace {grace} --drain-delay {delay}"
        ))
    }

    /// A warning, if the pool keeps connections for longer than the server does.
    pub(super) fn warning_of_behind(&self) -> Option<String> {
        let (pool, idle) = self.pool()?;
        let KeepAliveTimes { promise, grace } = self.times();
        // Short connections are closed in words.
        let is_too_short = !promise.0.is_zero() && promise.0 + grace.0 <= idle;
        is_too_short.then(|| {
            format!(
                "--keep-alive-timeout {promise} is too short behind {pool}, which keeps {}: 502s are possible",
                Span(idle)
            )
        })
    }

    fn pool(&self) -> Option<(Behind, Duration)> {
        let pool = self.keep_alive.behind?;
        Some((pool, pool.idle()?))
    }

    fn times(&self) -> KeepAliveTimes {
        KeepAliveTimes { promise: self.keep_alive.keep_alive_timeout, grace: self.keep_alive.keep_alive_grace }
    }
}

/// How long idle connections are kept.
struct KeepAliveTimes {
    promise: Span,
    grace: Span,
}

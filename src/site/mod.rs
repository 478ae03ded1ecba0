//! What is served: a request head in, a response out. It sees no socket and no clock.

mod access;
mod cache;
mod conditional;
mod console;
mod embedded;
mod encoding;
mod files;
mod lab;
mod listing;
mod live_page;
mod media_type;
mod options;
mod pages;
mod quality;
mod range;
mod representation;
mod response;
mod root;
mod target;

use std::hash::RandomState;
use std::io;
use std::path::Path;

pub use access::{Access, Arrival, ListenerRole};
pub use console::ConsoleAccess;
pub use files::SMALL_FILE;
pub use options::SiteOptions;
pub use response::{Answer, Content, FileSlice, Part, Report, Response};

use crate::http::head::Expectation;
use crate::http::{BadRequest, Method, Moment, RequestHead, Status, Target, Tick};
use cache::Cache;
use conditional::{Validators, Verdict};
use encoding::Coding;
use files::Stored;
use listing::Listing;
use pages::Allowed;
use representation::{Form, Representation};
use root::{Found, FoundFile, FoundFolder, Root};
use target::{TargetPath, encode_beyond_ascii, encode_name};

/// Seconds by which a compressed sibling may be older than its file: copies do not all keep fractions of a second.
const SIBLING_TOLERANCE: i64 = 1;

/// A folder or the demonstration site, and how it is served.
pub struct Site {
    root: Root,
    options: SiteOptions,
    /// What the options say, at hand for each request.
    shows_files_only: bool,
    cache: Cache,
    /// Where the boundaries of multipart contents come from.
    boundaries: RandomState,
}

impl Site {
    /// Opens the folder to serve.
    ///
    /// # Errors
    /// It is missing, unreadable or no folder.
    pub fn open(root: &Path, options: SiteOptions) -> io::Result<Site> {
        Ok(Site::new(Root::open(root)?, options))
    }

    /// The demonstration site, which is part of the program.
    pub fn embedded(options: SiteOptions) -> Site {
        Site::new(Root::embedded(), options)
    }

    /// No file: all that there is is the console, if it is on.
    pub fn without_files(options: SiteOptions) -> Site {
        Site::new(Root::empty(), options)
    }

    fn new(root: Root, options: SiteOptions) -> Site {
        let shows_files_only = options.shows_files_only();
        Site { root, options, shows_files_only, cache: Cache::new(), boundaries: RandomState::new() }
    }

    /// Whether there is a file at this path beneath the root now.
    pub fn has_file(&self, path: &str) -> bool {
        self.root.has_file(&TargetPath::configured(path))
    }

    /// What the sender of this request may see.
    #[inline]
    pub fn access(&self, head: &RequestHead<'_>, arrival: &Arrival) -> Access {
        if self.shows_files_only && arrival.role == ListenerRole::Public {
            return Access::default();
        }
        self.options.access(head, arrival)
    }

    /// Answers a request. HEAD is answered as GET; the protocol leaves the content out.
    pub fn respond(&mut self, head: &RequestHead<'_>, access: Access, tick: &Tick<'_>) -> Answer {
        self.answer(head, access, tick)
            .unwrap_or_else(|status| Answer::Response(pages::error(status, head.target_as_sent)))
    }

    /// From now on requests may have been sent after a change of the files: what was seen of them before counts no more.
    /// To be called after each read from a socket that brought bytes.
    pub fn look_again(&mut self) {
        self.cache.look_again();
        self.root.look_again();
    }

    /// Lets go of files that were kept for long enough.
    pub fn sweep(&mut self, now: Moment) {
        self.cache.sweep(now);
    }

    /// When to [sweep](Self::sweep), if there is anything to let go of.
    pub fn wake(&self) -> Option<Moment> {
        self.cache.wake()
    }

    /// Closes files that are open only to be asked for again. Says whether that gave back a descriptor.
    pub fn close_files(&mut self) -> bool {
        self.cache.close_files()
    }

    /// Answers a malformed request.
    pub fn refuse(&self, bad: BadRequest) -> Response {
        let (status, sentence) = bad.status();
        pages::refusal(status, sentence)
    }

    /// The answer to one connection too many. A server that is full is not ill: a liveness probe must not end it for that.
    pub fn unavailable(&mut self, head: &RequestHead<'_>, tick: &Tick<'_>) -> Answer {
        match head.target {
            Target::Path { path: console::HEALTHY, .. } => self.respond(head, Access::default(), tick),
            _ => Answer::Response(self.refuse(BadRequest::OverLimit)),
        }
    }

    /// How many files could not be opened since the last call because no descriptor was left (EMFILE, ENFILE). Each was
    /// answered with 503.
    pub fn take_emfile_count(&mut self) -> usize {
        self.root.take_emfile_count()
    }

    /// The order of decisions: expectation, method, path, then what the path leads to.
    fn answer(&mut self, head: &RequestHead<'_>, access: Access, tick: &Tick<'_>) -> Result<Answer, Status> {
        // RFC 9110 §10.1.1: 417 for "any member … other than 100-continue".
        if head.expectation == Expectation::Unknown {
            return Err(Status::EXPECTATION_FAILED);
        }
        // What a client makes of a POST whose connection breaks is a question for the lab.
        let in_the_lab = access.has_lab() && is_lab(head.target);
        let allowed = if in_the_lab { Allowed::InTheLab } else { Allowed::Everywhere };
        match head.method {
            Method::Get | Method::Head => {}
            Method::Post if in_the_lab => {}
            Method::Options => return Ok(Answer::Response(pages::options(allowed))),
            // RFC 9110 §9.1: 501 for what is not known, 405 for what is known and not allowed.
            Method::Unknown => return Err(Status::NOT_IMPLEMENTED),
            Method::Post | Method::Put | Method::Delete | Method::Patch | Method::Connect | Method::Trace => {
                return Ok(Answer::Response(pages::method_not_allowed(allowed, head.target_as_sent)));
            }
        }
        // The other forms belong to OPTIONS and CONNECT.
        let Target::Path { path, query } = head.target else { return Err(Status::BAD_REQUEST) };
        let for_metrics = access.has_metrics_alone();
        if for_metrics || path.starts_with("/-") {
            if let Some(location) = console::redirection(path).filter(|_| access.has_console()) {
                return Ok(Answer::Response(pages::redirect(location)));
            }
            let reserves = for_metrics || self.options.reserves_paths();
            if let Some(name) = path.strip_prefix("/-/").filter(|name| reserves || console::is_for_everybody(name)) {
                return console::respond((name, query), head, access, tick);
            }
            if for_metrics {
                return Err(Status::NOT_FOUND);
            }
        }
        if let Some(representation) = self.cache.get(path, tick.now) {
            return Ok(Answer::Response(representation.respond(head, &self.boundaries, tick)));
        }
        let response = match TargetPath::parse(path) {
            Ok(parsed) => match self.look_up(head, tick, &parsed, (path, query)) {
                Err(Status::NOT_FOUND) => self.not_found(head, tick, Some(&parsed)),
                answer => answer,
            },
            Err(Status::NOT_FOUND) => self.not_found(head, tick, None),
            Err(status) => Err(status),
        };
        response.map(Answer::Response)
    }

    fn look_up(
        &mut self,
        head: &RequestHead<'_>,
        tick: &Tick<'_>,
        path: &TargetPath,
        (sent, query): (&str, Option<&str>),
    ) -> Result<Response, Status> {
        if path.is_hidden() && !self.options.hidden {
            return Err(Status::NOT_FOUND);
        }
        if path.folder {
            return self.folder(head, tick, path, sent);
        }
        match self.find(path)? {
            Found::File(file) => self.file(head, tick, path, file, Some(sent)),
            Found::Folder(_) => Ok(pages::redirect(&folder_reference(path, query))),
        }
    }

    /// `/folder/`: its index, or else a listing.
    fn folder(
        &mut self,
        head: &RequestHead<'_>,
        tick: &Tick<'_>,
        path: &TargetPath,
        sent: &str,
    ) -> Result<Response, Status> {
        let index = path.join(self.options.index.as_bytes());
        match self.find(&index) {
            Ok(Found::File(file)) => return self.file(head, tick, &index, file, Some(sent)),
            Ok(Found::Folder(_)) | Err(Status::NOT_FOUND) => {}
            Err(status) => return Err(status),
        }
        match self.find(path)? {
            Found::File(_) => Err(Status::NOT_FOUND),
            Found::Folder(folder) if self.options.listing => self.list(head, tick, path, &folder),
            // A route of the application may be called like a folder of its files.
            Found::Folder(_) if self.options.spa => Err(Status::NOT_FOUND),
            Found::Folder(_) => Ok(pages::unlisted_folder(head.target_as_sent)),
        }
    }

    fn list(
        &self,
        head: &RequestHead<'_>,
        tick: &Tick<'_>,
        path: &TargetPath,
        folder: &FoundFolder,
    ) -> Result<Response, Status> {
        // It has no validators, so only `*` and a list of tags can mean something (RFC 9110 §13.2.2).
        match conditional::evaluate(head, &Validators::default(), tick.date) {
            Verdict::Proceed => {}
            Verdict::NotModified => return Ok(listing::not_modified()),
            Verdict::Failed => return Err(Status::PRECONDITION_FAILED),
        }
        Listing::read(&self.root, path, folder, self.options.hidden)
            .map(|listing| listing.respond(head))
            .map_err(|error| files::status_of(&error, path))
    }

    /// Answers with a file, and keeps it for the next who asks in the same way (`sent`).
    fn file(
        &mut self,
        head: &RequestHead<'_>,
        tick: &Tick<'_>,
        path: &TargetPath,
        file: FoundFile,
        sent: Option<&str>,
    ) -> Result<Response, Status> {
        let Some(representation) = self.represent(head, tick, path, file)? else {
            return Ok(representation::negotiated_error(Status::NOT_ACCEPTABLE, head));
        };
        let response = representation.respond(head, &self.boundaries, tick);
        // What depends on more than the path is looked for each time.
        let sent = sent.filter(|sent| !self.options.precompressed && path.is_plain(sent));
        if let (Some(sent), Some(location)) = (sent, self.root.location(path)) {
            self.cache.keep(sent, location, representation, tick);
        }
        Ok(response)
    }

    /// 404, in the words of the operator if there are any; with `--spa`, 200 for a path of the application.
    fn not_found(
        &mut self,
        head: &RequestHead<'_>,
        tick: &Tick<'_>,
        path: Option<&TargetPath>,
    ) -> Result<Response, Status> {
        let Some(page) = &self.options.not_found else { return Err(Status::NOT_FOUND) };
        let page = TargetPath::configured(page);
        let Ok(Found::File(file)) = self.find(&page) else { return Err(Status::NOT_FOUND) };
        if self.options.spa && path.is_some_and(is_application_path) {
            return self.file(head, tick, &page, file, None);
        }
        Ok(match self.represent(head, tick, &page, file)? {
            Some(representation) => representation.not_found(),
            // 406 would speak of the page, and that is not what was asked for.
            None => representation::negotiated_error(Status::NOT_FOUND, head),
        })
    }

    /// The file, or one of its compressed siblings (RFC 9110 §12.1); `None` if the client accepts none of them.
    fn represent(
        &mut self,
        head: &RequestHead<'_>,
        tick: &Tick<'_>,
        path: &TargetPath,
        file: FoundFile,
    ) -> Result<Option<Representation>, Status> {
        let own = Coding::of(path.as_path());
        // A sibling of a file that is coded by itself would be coded twice, and save nothing.
        let has_siblings = self.options.precompressed && own == Coding::Identity;
        let siblings = if has_siblings { self.siblings(path, file.modified())? } else { Vec::new() };
        let varies = !siblings.is_empty();
        let Some((coding, file)) = encoding::choose(head, siblings, (own, file)) else { return Ok(None) };
        let stored = Stored::load(file).map_err(|error| files::status_of(&error, path))?;
        let media_type = media_type::of(path.as_path());
        let form =
            Form { media_type: &media_type, coding, varies, cache_control: self.options.cache_control.as_deref() };
        Ok(Some(Representation::new(stored, &form, tick.date)))
    }

    /// Opens what a path names. What is open only to be asked for again gives way.
    fn find(&mut self, path: &TargetPath) -> Result<Found, Status> {
        match self.root.find(path) {
            Err(Status::SERVICE_UNAVAILABLE) if self.cache.close_files() => {
                // No connection has to go for this one.
                self.root.take_emfile_count();
                self.root.find(path)
            }
            found => found,
        }
    }

    /// The compressed forms of a file that lie beside it. One that is older than the file, which was modified at this
    /// second, is a form of another version.
    fn siblings(&mut self, path: &TargetPath, modified: Option<i64>) -> Result<Vec<(Coding, FoundFile)>, Status> {
        let is_stale = |file: &FoundFile| file.modified().map(|time| time + SIBLING_TOLERANCE) < modified;
        let mut siblings = Vec::new();
        for coding in Coding::SIBLINGS {
            match self.find(&path.with_suffix(coding.suffix())) {
                Ok(Found::File(file)) if !is_stale(&file) => siblings.push((coding, file)),
                Ok(Found::File(_) | Found::Folder(_)) | Err(Status::NOT_FOUND | Status::FORBIDDEN) => {}
                Err(status) => return Err(status),
            }
        }
        Ok(siblings)
    }
}

/// Where `/folder` is to be asked for (RFC 9110 §10.2.2). Relative to the folder's own parent, it can't lead
/// to another host, whatever the request's target looked like.
fn folder_reference(path: &TargetPath, query: Option<&str>) -> String {
    let name = encode_name(path.name());
    match query {
        // In a field a byte beyond ASCII means nothing certain.
        Some(query) => format!("{name}/?{}", encode_beyond_ascii(query)),
        None => format!("{name}/"),
    }
}

fn is_lab(target: Target<'_>) -> bool {
    matches!(target, Target::Path { path, .. } if path.starts_with("/-/lab/"))
}

/// A path that the application may know: it names no file, and nothing that is hidden.
fn is_application_path(path: &TargetPath) -> bool {
    !path.is_hidden() && !path.name().contains(&b'.')
}

#[cfg(test)]
mod tests;

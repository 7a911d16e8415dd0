//! The vocabulary and the wire of Orrery: what the server stores, streams and answers, and what every client reads.
//!
//! No IO and no clock: times are integer milliseconds or microseconds that somebody else read. Everything here builds for wasm.

mod agent;
mod alert;
mod bill;
mod event;
mod export;
mod file;
mod filter;
mod grant;
mod job;
mod live;
mod overview;
mod page;
mod problem;
mod project;
mod redaction;
mod search;
mod series;
mod session;
mod settings;
mod usage;

pub use agent::{AgentId, AgentStatus, DiffLine, DiffOp, FileChange, FoundAgent, HookState, InstallPlan};
pub use alert::{Alert, AlertKind, AlertState};
pub use bill::{
    Bill, BillLine, PriceVersion, PricesUsed, Repeats, Reported, Unpriced, UsageDetail, UsageGroup, UsageQuery,
    UsageReport,
};
pub use event::{Answer, Body, Event, EventId, Question, Source, Sources, Subagent, ToolClass, clip};
pub use export::{ExportFormat, ExportPreview, MaskedKind};
pub use file::SessionFile;
pub use filter::{Compare, Field, Filter, FilterError, Flag, Moment, Op, Pattern};
pub use grant::{Grant, GrantKind, ShareRequest, Shared};
pub use job::{Job, JobKind, JobState};
pub use live::{ClientFrame, LiveFrame, frame_number};
pub use overview::{Blind, Overview, Spend, Strip};
pub use page::{EventQuery, Page, SessionDetail, SessionQuery, SessionSort};
pub use problem::{Problem, ProblemJson};
pub use project::Project;
pub use redaction::{Redaction, RedactionRule};
pub use search::{Facet, Facets, Hit, Preset, SearchPage, SearchQuery, Snippet};
pub use series::{Metric, Series, SeriesBy, SeriesLine, SeriesQuery, SeriesStep};
pub use session::{Doing, Failing, Needs, NeedsKind, OpenCall, SessionFacts, SessionRow, Status, SubagentRow, Verb};
pub use settings::{Appearance, Density, Settings, SettingsPatch, Theme};
pub use usage::{Basis, CostLine, CostRow, CostTotals, GroupBy, RequestUsage, StandIn, Tokens, UsageRow};

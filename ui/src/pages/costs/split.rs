//! What costs are split by.

use orrery_types::GroupBy;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum By {
    #[default]
    Project,
    Agent,
    Model,
    Session,
    Tool,
    Day,
}

impl By {
    pub const ALL: [By; 6] = [By::Project, By::Agent, By::Model, By::Session, By::Tool, By::Day];

    pub const fn slug(self) -> &'static str {
        match self {
            By::Project => "project",
            By::Agent => "agent",
            By::Model => "model",
            By::Session => "session",
            By::Tool => "tool",
            By::Day => "day",
        }
    }
    pub const fn label(self) -> &'static str {
        match self {
            By::Project => "Project",
            By::Agent => "Agent",
            By::Model => "Model",
            By::Session => "Session",
            By::Tool => "Tool",
            By::Day => "Day",
        }
    }
    pub fn from_slug(slug: &str) -> Option<By> {
        By::ALL.into_iter().find(|by| by.slug() == slug)
    }
    /// The server's word. A tool has no price of its own: projects stand in for its totals.
    pub const fn group(self) -> GroupBy {
        match self {
            By::Project | By::Tool => GroupBy::Project,
            By::Agent => GroupBy::Agent,
            By::Model => GroupBy::Model,
            By::Session => GroupBy::Session,
            By::Day => GroupBy::Daily,
        }
    }
    /// What a grouping of the server is called here.
    pub fn of(group: GroupBy) -> By {
        By::ALL.into_iter().find(|by| *by != By::Tool && by.group() == group).unwrap_or_default()
    }
}

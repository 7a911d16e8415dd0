//! Tool calls that a file started and did not end yet.

use orrery_types::ToolClass;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::json::one_line;
use crate::tool::{class_of, target_of};

/// More calls than an agent runs at once; older ones are forgotten.
const MOST: usize = 64;

/// What the end of a call needs to know of its start.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OpenCall {
    pub id: String,
    pub tool: String,
    pub class: ToolClass,
    pub target: String,
    pub at_ms: i64,
    /// Lines a patch would add and remove.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<(u32, u32)>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OpenCalls(Vec<OpenCall>);

impl OpenCalls {
    pub fn start(&mut self, id: &str, tool: &str, input: &Value, at_ms: i64) -> OpenCall {
        let call = OpenCall {
            id: one_line(id, 200),
            tool: one_line(tool, 200),
            class: class_of(tool),
            target: target_of(tool, input),
            at_ms,
            lines: crate::outcome::apply_patch_lines(input),
        };
        if !id.is_empty() {
            self.0.retain(|open| open.id != call.id);
            if self.0.len() >= MOST {
                self.0.remove(0);
            }
            self.0.push(call.clone());
        }
        call
    }

    pub fn end(&mut self, id: &str) -> Option<OpenCall> {
        let index = self.0.iter().position(|open| open.id == id)?;
        Some(self.0.remove(index))
    }

    pub fn get(&self, id: &str) -> Option<&OpenCall> {
        self.0.iter().find(|open| open.id == id)
    }
}

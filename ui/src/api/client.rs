//! REST of the server, as typed calls.

use std::sync::Arc;

use gloo_net::http::{Method, RequestBuilder};
use orrery_types::{
    AgentId, Bill, Busy, Event, EventQuery, ExportFormat, FoundAgent, InstallPlan, Job, JobKind, Page, Preset, Problem,
    ProblemJson, SearchPage, SearchQuery, Series, SeriesQuery, SessionDetail, SessionQuery, SessionRow, Settings,
    SettingsPatch, Source, Sums, Timeline, TimelineQuery, Track, UsageDetail, UsageQuery, UsageRow,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::query::{percent_encode, to_query};
use crate::host::Endpoint;
use crate::state::themes::CustomTheme;

/// A request that did not work, as a person reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status; 0 when no answer came.
    pub status: u16,
    /// Stable word: `unauthorized`, `not_found`, `offline`, `unreadable` or the server's own.
    pub code: String,
    pub title: String,
    /// What to do about it. May be empty.
    pub hint: String,
}

impl ApiError {
    fn offline(error: &gloo_net::Error) -> ApiError {
        ApiError {
            status: 0,
            code: "offline".into(),
            title: "The server does not answer".into(),
            hint: format!("It may be restarting. {error}"),
        }
    }

    /// Whether the server wants a token that we do not have.
    pub fn is_unauthorized(&self) -> bool {
        self.status == 401 || self.status == 403
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.title)?;
        if !self.hint.is_empty() {
            write!(f, ". {}", self.hint)?;
        }
        Ok(())
    }
}

/// Values that occur in the store, for the choices of a filter.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct FilterOptions {
    pub agents: Vec<String>,
    pub projects: Vec<String>,
    pub models: Vec<String>,
    /// Names that agents give their events.
    pub names: Vec<String>,
}

/// One report an event was read from.
#[derive(Debug, Clone, Deserialize)]
pub struct RawPayload {
    pub source: Source,
    /// File and line, or endpoint.
    #[serde(default)]
    pub place: Option<String>,
    pub text: String,
}

/// One line or export a request was read from.
#[derive(Debug, Clone, Deserialize)]
pub struct UsageLine {
    /// Empty when it was not kept and its file is gone.
    #[serde(default)]
    pub text: Option<String>,
}

/// The server. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Api {
    endpoint: Arc<Endpoint>,
}

impl Api {
    pub fn new(endpoint: Endpoint) -> Api {
        Api { endpoint: Arc::new(endpoint) }
    }

    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    // What is shown

    pub async fn sessions(&self, query: &SessionQuery) -> Result<Page<SessionRow>, ApiError> {
        self.get(&format!("/sessions{}", to_query(query))).await
    }
    pub async fn session(&self, id: &str) -> Result<SessionDetail, ApiError> {
        self.get(&format!("/sessions/{}", percent_encode(id))).await
    }
    /// A session's events as narrow points.
    pub async fn track(&self, id: &str) -> Result<Track, ApiError> {
        self.get(&format!("/sessions/{}/track", percent_encode(id))).await
    }
    pub async fn timeline(&self, query: &TimelineQuery) -> Result<Timeline, ApiError> {
        self.get(&format!("/timeline{}", to_query(query))).await
    }
    pub async fn busy(&self, query: &TimelineQuery) -> Result<Busy, ApiError> {
        self.get(&format!("/timeline/busy{}", to_query(query))).await
    }
    /// Figures of a stretch of time, with the critical path of a session in it.
    pub async fn sums(&self, query: &TimelineQuery, path_of: Option<&str>) -> Result<Sums, ApiError> {
        let path_of = path_of.map(|id| format!("&path_of={}", percent_encode(id))).unwrap_or_default();
        self.get(&format!("/timeline/sums{}{path_of}", to_query(query))).await
    }
    pub async fn search(&self, query: &SearchQuery) -> Result<SearchPage, ApiError> {
        self.get(&format!("/search{}", to_query(query))).await
    }
    /// Saved searches, by name.
    pub async fn presets(&self) -> Result<Vec<Preset>, ApiError> {
        self.get("/presets").await
    }
    /// Saves a search: a new one without an id, else in place of the one with it.
    pub async fn save_preset(&self, preset: &Preset) -> Result<Value, ApiError> {
        if preset.id == 0 {
            self.with_body(Method::POST, "/presets", preset).await
        } else {
            self.with_body(Method::PUT, &format!("/presets/{}", preset.id), preset).await
        }
    }
    pub async fn remove_preset(&self, id: i64) -> Result<(), ApiError> {
        self.send(Method::DELETE, &format!("/presets/{id}"), None).await.map(|_| ())
    }
    /// The billed requests of a session, newest first.
    pub async fn session_usage(&self, id: &str) -> Result<Vec<UsageRow>, ApiError> {
        let query = UsageQuery { session: Some(id.to_owned()), limit: Some(10_000), ..UsageQuery::default() };
        Ok(self.usage(&query).await?.items)
    }
    /// Billed requests, newest first.
    pub async fn usage(&self, query: &UsageQuery) -> Result<Page<UsageRow>, ApiError> {
        self.get(&format!("/usage{}", to_query(query))).await
    }
    /// A sum of costs, taken apart.
    pub async fn bill(&self, query: &UsageQuery) -> Result<Bill, ApiError> {
        self.get(&format!("/bill{}", to_query(query))).await
    }
    /// One request's cost, explained.
    pub async fn usage_detail(&self, key: &str) -> Result<UsageDetail, ApiError> {
        self.get(&format!("/usage/{}", percent_encode(key))).await
    }
    /// The lines a request was read from.
    pub async fn usage_lines(&self, key: &str) -> Result<Vec<UsageLine>, ApiError> {
        self.get(&format!("/usage/{}/raw", percent_encode(key))).await
    }
    /// What lists can be narrowed by.
    pub async fn filters(&self) -> Result<FilterOptions, ApiError> {
        self.get("/filters").await
    }
    pub async fn events(&self, query: &EventQuery) -> Result<Page<Event>, ApiError> {
        self.get(&format!("/events{}", to_query(query))).await
    }
    /// One event by its number. `None` when there is no such event.
    pub async fn event(&self, seq: i64) -> Result<Option<Event>, ApiError> {
        match self.get(&format!("/events/{seq}")).await {
            Err(error) if error.status == 404 => Ok(None),
            answer => answer.map(Some),
        }
    }
    /// The payloads an event was read from, as they arrived.
    pub async fn raw(&self, seq: i64) -> Result<Vec<RawPayload>, ApiError> {
        self.get(&format!("/events/{seq}/raw")).await
    }
    /// One session as a file's text: `md`, `jsonl`, `json`, `csv` or `html`. Outside `/api/v1`: the family's endpoint.
    pub async fn export(&self, id: &str, form: &str) -> Result<String, ApiError> {
        let response =
            self.send_to(Method::GET, &format!("/sessions/{}/export?format={form}", percent_encode(id)), None).await?;
        response.text().await.map_err(|error| ApiError::offline(&error))
    }
    /// Where a browser, whose cookie speaks, reads a session as a file.
    pub fn export_url(&self, id: &str, format: ExportFormat) -> String {
        self.endpoint.url(&format!("/sessions/{}/export?format={}", percent_encode(id), format.slug()))
    }
    pub async fn problems(&self) -> Result<Vec<Problem>, ApiError> {
        self.get("/problems").await
    }

    // What a person does

    /// Answers a question: `value` is `{"response"|"permission"|"choice": ...}`. Outside `/api/v1`: the family's endpoint.
    pub async fn respond(&self, seq: i64, value: &Value) -> Result<Value, ApiError> {
        let response = self.send_to(Method::POST, &format!("/events/{seq}/respond"), Some(value)).await?;
        read(response).await
    }
    pub async fn settings(&self) -> Result<Settings, ApiError> {
        self.get("/settings").await
    }
    pub async fn patch_settings(&self, patch: &SettingsPatch) -> Result<Settings, ApiError> {
        self.with_body(Method::PATCH, "/settings", patch).await
    }
    pub async fn agents(&self) -> Result<Vec<FoundAgent>, ApiError> {
        self.get("/agents").await
    }
    /// What installing our hooks would change; nothing is written.
    pub async fn install_plan(&self, agent: AgentId) -> Result<InstallPlan, ApiError> {
        self.get(&format!("/agents/{}/plan", agent.slug())).await
    }
    pub async fn start_import(&self) -> Result<Job, ApiError> {
        self.with_body(Method::POST, "/import", &json!({})).await
    }
    pub async fn start_demo(&self) -> Result<Job, ApiError> {
        self.with_body(Method::POST, "/demo", &json!({})).await
    }
    pub async fn remove_demo(&self) -> Result<(), ApiError> {
        self.send(Method::DELETE, "/demo", None).await.map(|_| ())
    }
    /// Stops an import: what was read stays. A demo is taken away.
    pub async fn cancel(&self, kind: JobKind) -> Result<(), ApiError> {
        let path = match kind {
            JobKind::Import => "/import",
            JobKind::Demo => "/demo",
        };
        self.send(Method::DELETE, path, None).await.map(|_| ())
    }

    /// Silences alerts until that moment, or ends the silence.
    pub async fn pause_alerts(&self, until_ms: Option<i64>) -> Result<(), ApiError> {
        self.send(Method::POST, "/alerts/pause", Some(&json!({ "until_ms": until_ms }))).await.map(|_| ())
    }

    /// Figures over time.
    pub async fn series(&self, query: &SeriesQuery) -> Result<Series, ApiError> {
        self.get(&format!("/series{}", to_query(query))).await
    }

    // Themes of one's own. Outside `/api/v1`: the family's endpoints, whose answers wear a wrapper.

    pub async fn themes(&self) -> Result<Vec<CustomTheme>, ApiError> {
        self.theme(Method::GET, "/api/themes", None).await
    }
    /// Adds a theme, or replaces the one with its id.
    pub async fn save_theme(&self, theme: &CustomTheme) -> Result<CustomTheme, ApiError> {
        let body = serde_json::to_value(theme).expect("a theme is plain data");
        match theme.id.as_str() {
            "" => self.theme(Method::POST, "/api/themes", Some(&body)).await,
            id => self.theme(Method::PUT, &format!("/api/themes/{}", percent_encode(id)), Some(&body)).await,
        }
    }
    pub async fn import_theme(&self, file: &Value) -> Result<(), ApiError> {
        self.theme::<Value>(Method::POST, "/api/themes/import", Some(file)).await.map(|_| ())
    }
    pub async fn remove_theme(&self, id: &str) -> Result<(), ApiError> {
        self.theme::<Value>(Method::DELETE, &format!("/api/themes/{}", percent_encode(id)), None).await.map(|_| ())
    }
    /// The file that other dashboards import.
    pub async fn export_theme(&self, id: &str) -> Result<String, ApiError> {
        let file: Value = self.theme(Method::GET, &format!("/api/themes/{}/export", percent_encode(id)), None).await?;
        Ok(serde_json::to_string_pretty(&file).unwrap_or_default())
    }
    async fn theme<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, ApiError> {
        #[derive(Deserialize)]
        struct Wrapped<T> {
            data: T,
        }
        let answer: Wrapped<T> = read(self.send_to(method, path, body).await?).await?;
        Ok(answer.data)
    }

    // The wire

    /// `GET /api/v1` + `path`, read as JSON.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        read(self.send(Method::GET, path, None).await?).await
    }

    /// Sends `body` to `/api/v1` + `path` and reads the answer as JSON.
    pub async fn with_body<B: Serialize, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &B,
    ) -> Result<T, ApiError> {
        let body = serde_json::to_value(body).expect("requests are plain data");
        read(self.send(method, path, Some(&body)).await?).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<gloo_net::http::Response, ApiError> {
        self.send_to(method, &format!("/api/v1{path}"), body).await
    }

    async fn send_to(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<gloo_net::http::Response, ApiError> {
        let mut request = RequestBuilder::new(&format!("{}{path}", self.endpoint.base_url)).method(method);
        if let Some(token) = &self.endpoint.token {
            request = request.header("Authorization", &format!("Bearer {token}"));
        }
        let sent = match body {
            Some(body) => request.json(body).map_err(|error| ApiError::offline(&error))?.send().await,
            None => request.send().await,
        };
        let response = sent.map_err(|error| ApiError::offline(&error))?;
        if response.ok() { Ok(response) } else { Err(problem(response).await) }
    }
}

async fn read<T: DeserializeOwned>(response: gloo_net::http::Response) -> Result<T, ApiError> {
    let status = response.status();
    let text = response.text().await.map_err(|error| ApiError::offline(&error))?;
    serde_json::from_str(if text.is_empty() { "null" } else { &text }).map_err(|error| ApiError {
        status,
        code: "unreadable".into(),
        title: "The server's answer is not readable".into(),
        hint: format!("Server and interface may be of different versions: reload the page ({error})"),
    })
}

/// What the themes' endpoints say of a bad theme, in a sentence.
fn theme_problem(status: u16, text: &str) -> Option<ApiError> {
    let answer: Value = serde_json::from_str(text).ok()?;
    let error = answer.get("error")?.as_str()?;
    let details = answer.get("validationErrors").and_then(Value::as_array).cloned().unwrap_or_default();
    let words: Vec<&str> = details.iter().filter_map(|detail| detail.get("message")?.as_str()).collect();
    let title = if words.is_empty() { error.to_owned() } else { words.join(". ") };
    Some(ApiError { status, code: "theme".into(), title, hint: String::new() })
}

async fn problem(response: gloo_net::http::Response) -> ApiError {
    let status = response.status();
    let text = response.text().await.unwrap_or_default();
    match serde_json::from_str::<ProblemJson>(&text) {
        Ok(problem) => ApiError { status, code: problem.code, title: problem.title, hint: problem.hint },
        Err(_) if status == 401 || status == 403 => ApiError {
            status,
            code: "unauthorized".into(),
            title: "This browser is not signed in".into(),
            hint: "Open the one-time link that orrery serve prints, or choose Open in browser in the tray".into(),
        },
        Err(_) if theme_problem(status, &text).is_some() => theme_problem(status, &text).unwrap_or_default(),
        Err(_) => ApiError {
            status,
            code: "http".into(),
            title: format!("The server answered {status}"),
            hint: String::new(),
        },
    }
}

//! `GET /openapi.json`: every route with a word on what it does.

use axum::Json;
use axum::http::Method;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathItem, PathsBuilder};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Required, ResponseBuilder, ResponsesBuilder,
};

/// One route: method, path, summary, query parameters, whether it needs the token.
pub struct Route {
    pub method: Method,
    pub path: &'static str,
    pub summary: &'static str,
    pub query: &'static [&'static str],
    pub token: bool,
}

const fn route(method: Method, path: &'static str, summary: &'static str, query: &'static [&'static str]) -> Route {
    Route { method, path, summary, query, token: true }
}

const fn open(method: Method, path: &'static str, summary: &'static str, query: &'static [&'static str]) -> Route {
    Route { method, path, summary, query, token: false }
}

/// Everything the server answers, pages apart.
pub const ROUTES: &[Route] = &[
    open(Method::POST, "/events", "Store one event of a sender; answers 200 with it, its id and its time", &[]),
    route(Method::GET, "/events/recent", "The newest events, oldest first", &["limit", "agent_type"]),
    route(Method::GET, "/events/filter-options", "What events can be narrowed by", &[]),
    route(
        Method::GET,
        "/events/search",
        "Search events, newest first",
        &["q", "from", "to", "agent_type", "event_type", "session_id", "limit"],
    ),
    route(Method::GET, "/events/session/{id}", "One session's events, oldest first", &["limit", "offset"]),
    route(Method::POST, "/events/{id}/respond", "Answer a question of an agent", &[]),
    route(
        Method::GET,
        "/sessions",
        "Sessions, newest first",
        &["limit", "offset", "source_app", "status", "agent_type", "search", "from", "to"],
    ),
    route(Method::GET, "/sessions/filter-options", "What sessions can be narrowed by", &[]),
    route(Method::GET, "/sessions/{id}", "One session with its events", &[]),
    route(
        Method::GET,
        "/sessions/{id}/export",
        "One session as a file, secrets masked unless redact=0",
        &["format", "from_seq", "to_seq", "from_ms", "to_ms", "redact"],
    ),
    route(
        Method::GET,
        "/sessions/{id}/export/preview",
        "What masking takes out of one session's file",
        &["from_seq", "to_seq", "from_ms", "to_ms"],
    ),
    route(Method::GET, "/stream", "WebSocket: the newest events, then each event as it comes", &[]),
    open(Method::GET, "/health", "Whether the server is well and what it cannot see", &[]),
    route(Method::GET, "/api/themes", "Custom themes", &["query", "limit", "offset"]),
    route(Method::POST, "/api/themes", "Add a theme", &[]),
    route(Method::GET, "/api/themes/stats", "How many themes there are", &[]),
    route(Method::POST, "/api/themes/import", "Add an exported theme", &[]),
    route(Method::GET, "/api/themes/{id}", "One theme", &[]),
    route(Method::PUT, "/api/themes/{id}", "Replace a theme", &[]),
    route(Method::DELETE, "/api/themes/{id}", "Remove a theme", &[]),
    route(Method::GET, "/api/themes/{id}/export", "A theme as a file", &[]),
    open(Method::POST, "/hooks/{agent}", "Store an agent's hook payload as it is; answers 200 with an empty body", &[]),
    route(Method::POST, "/api/v1/transcripts/{agent}", "Read lines of a transcript from elsewhere", &["name", "demo"]),
    route(Method::GET, "/api/v1/live", "WebSocket: everything as it happens, after event number `after`", &["after"]),
    route(Method::GET, "/api/v1/overview", "The figures of the page heads", &[]),
    route(
        Method::GET,
        "/api/v1/events",
        "Events, newest first, or oldest first after a number",
        &["session", "agent", "project", "name", "words", "from_ms", "to_ms", "after", "before", "limit"],
    ),
    route(Method::GET, "/api/v1/events/{seq}", "One event", &[]),
    route(Method::GET, "/api/v1/events/{seq}/raw", "The payloads an event was read from", &[]),
    route(Method::GET, "/api/v1/events/{seq}/images", "The pictures in an event", &[]),
    route(Method::GET, "/api/v1/events/{seq}/images/{index}", "One picture of an event", &[]),
    route(
        Method::GET,
        "/api/v1/sessions",
        "Session rows",
        &["agent", "project", "model", "status", "text", "from_ms", "to_ms", "sort", "ascending", "after", "limit"],
    ),
    route(Method::GET, "/api/v1/sessions/{id}", "One session row with parent, children and cost by model", &[]),
    route(Method::GET, "/api/v1/sessions/{id}/files", "Files a session read and changed, last touched first", &[]),
    route(Method::GET, "/api/v1/filters", "What lists can be narrowed by", &[]),
    open(Method::GET, "/shared/{link}", "A shared session as a page with its own replay", &[]),
    route(
        Method::GET,
        "/api/v1/export",
        "Several sessions as one file or an archive",
        &["sessions", "format", "from_ms", "to_ms", "redact"],
    ),
    route(Method::GET, "/api/v1/export/preview", "What masking takes out of several sessions' file", &["sessions"]),
    route(Method::GET, "/api/v1/grants", "Signed-in browsers and shared sessions, newest first", &[]),
    route(Method::DELETE, "/api/v1/grants/{id}", "Sign a browser out, or end a shared link", &[]),
    route(Method::POST, "/api/v1/shares", "A link that shows one session; the answer alone tells it", &[]),
    route(Method::GET, "/api/v1/redaction", "What is masked before it is stored: rules, switches, counts", &[]),
    route(Method::GET, "/api/v1/problems", "Input that could not be read as meant, newest first", &["limit"]),
    route(
        Method::GET,
        "/api/v1/costs",
        "Cost by day, week, month, session, project, model or agent",
        &["group", "from_ms", "to_ms", "session", "agent", "project", "model"],
    ),
    route(
        Method::GET,
        "/api/v1/usage",
        "Billed requests, newest first",
        &["session", "agent", "project", "model", "subagent", "from_ms", "to_ms", "after", "limit"],
    ),
    route(
        Method::GET,
        "/api/v1/usage/{key}",
        "One request's cost: tokens times price, line by line, and its reports",
        &[],
    ),
    route(Method::GET, "/api/v1/usage/{key}/raw", "The lines a request was read from", &[]),
    route(
        Method::GET,
        "/api/v1/bill",
        "A sum of costs taken apart: tokens and prices by model, sources, repeats, the agent's own figure",
        &["session", "agent", "project", "model", "subagent", "from_ms", "to_ms"],
    ),
    route(Method::GET, "/api/v1/prices", "The price table in force, and those that rows were priced with", &[]),
    route(
        Method::POST,
        "/api/v1/prices",
        "Put a price table in force for what comes in from now on; `dry_run=1` only says what would change",
        &["origin", "dry_run"],
    ),
    route(Method::GET, "/api/v1/settings", "The settings in force", &[]),
    route(Method::PATCH, "/api/v1/settings", "Change settings", &[]),
    route(Method::GET, "/api/v1/agents", "Agents found on this machine", &[]),
    route(
        Method::GET,
        "/api/v1/agents/{agent}/plan",
        "What installing or removing the hooks would change",
        &["remove"],
    ),
    route(Method::POST, "/api/v1/agents/{agent}/install", "Install the hooks", &[]),
    route(Method::POST, "/api/v1/agents/{agent}/uninstall", "Remove the hooks", &[]),
    route(Method::POST, "/api/v1/agents/{agent}/verify", "Send an event through the hook program", &[]),
    route(Method::GET, "/api/v1/jobs", "Long work and its progress", &[]),
    route(Method::POST, "/api/v1/import", "Read history", &[]),
    route(Method::DELETE, "/api/v1/import", "Stop reading history", &[]),
    route(Method::POST, "/api/v1/demo", "Play the demo", &[]),
    route(Method::DELETE, "/api/v1/demo", "Take the demo away", &[]),
    route(Method::POST, "/api/v1/spool", "Drain the spool now", &[]),
    route(Method::GET, "/api/v1/alerts", "Alerts, newest first", &["limit"]),
    route(Method::POST, "/api/v1/alerts/pause", "Silence alerts for a while", &[]),
    route(Method::POST, "/api/v1/links", "A link that signs a browser in once", &[]),
    open(Method::GET, "/api/v1/proof", "Proof that this server knows the token", &["nonce"]),
    open(Method::GET, "/openapi.json", "This description", &[]),
];

pub async fn get() -> Json<OpenApi> {
    Json(description())
}

fn description() -> OpenApi {
    let mut paths = PathsBuilder::new();
    for route in ROUTES {
        paths = paths.path(route.path, PathItem::new(method(&route.method), operation(route)));
    }
    let scheme = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    OpenApiBuilder::new()
        .info(InfoBuilder::new().title("Orrery").version(env!("CARGO_PKG_VERSION")))
        .paths(paths)
        .components(Some(ComponentsBuilder::new().security_scheme("token", scheme).build()))
        .build()
}

fn operation(route: &Route) -> OperationBuilder {
    let mut operation = OperationBuilder::new().summary(Some(route.summary));
    let in_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    for name in in_path {
        operation = operation
            .parameter(ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).required(Required::True));
    }
    for name in route.query {
        operation = operation.parameter(ParameterBuilder::new().name(*name).parameter_in(ParameterIn::Query));
    }
    if route.token {
        operation = operation.security(SecurityRequirement::new::<_, _, String>("token", []));
    }
    let responses = ResponsesBuilder::new()
        .response("200", ResponseBuilder::new().description("Done"))
        .response("default", ResponseBuilder::new().description("A problem, application/problem+json (RFC 9457)"));
    operation.responses(responses)
}

fn method(method: &Method) -> HttpMethod {
    match *method {
        Method::POST => HttpMethod::Post,
        Method::PUT => HttpMethod::Put,
        Method::PATCH => HttpMethod::Patch,
        Method::DELETE => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

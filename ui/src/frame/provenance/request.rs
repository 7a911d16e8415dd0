//! One billed request: the arithmetic, the prices, who told of it, and the very lines.

use leptos::prelude::*;
use orrery_types::{Basis, UsageDetail, UsageReport, UsageRow};
use orrery_views::format;

use super::bill::{apart, price, signed};
use super::{Told, told, waiting};
use crate::api::UsageLine;
use crate::components::{Clock, Code};
use crate::frame::drawer::source_word;
use crate::host::utc_offset_minutes;
use crate::routes;
use crate::state::use_app;

#[component]
pub fn Request(key: String) -> impl IntoView {
    let app = use_app();
    let key = StoredValue::new(key);
    let once = Memo::new(|_| ());
    let detail = told(once, move || async move { app.api().usage_detail(&key.get_value()).await });
    let lines = told(once, move || async move { app.api().usage_lines(&key.get_value()).await });
    move || {
        detail.with(|told| match told {
            Told::Known(detail) => view! {
                {head(&detail.row)}
                {arithmetic(detail)}
                {facts(detail)}
                {reports(detail)}
                <section>
                    <h3>"As the agent wrote it"</h3>
                    {move || lines.with(|lines| match lines {
                        Told::Known(lines) => raw(lines).into_any(),
                        other => waiting(other),
                    })}
                </section>
            }
            .into_any(),
            other => waiting(other),
        })
    }
}

fn head(row: &UsageRow) -> impl IntoView + use<> {
    let request = &row.request;
    let at = format::moment(request.at_ms, utc_offset_minutes(request.at_ms));
    let cost = row.cost_usd_micros.map_or_else(|| "unknown".to_owned(), format::money_exact);
    let basis = match row.basis {
        Basis::Reported => "the agent says so",
        Basis::Calculated => "calculated",
        Basis::Estimated => "estimated",
        Basis::Unpriced => "no price known",
    };
    view! {
        <dl class="figures figures--drawer">
            <div><dt>"Cost"</dt><dd>{cost}</dd></div>
            <div><dt>"Known by"</dt><dd><span class="clip">{basis}</span></dd></div>
            <div><dt>"At"</dt><dd title=at><Clock at_ms=request.at_ms/></dd></div>
        </dl>
    }
}

fn arithmetic(detail: &UsageDetail) -> impl IntoView + use<> {
    let tokens = detail.row.request.tokens;
    let lines = detail.lines.clone().into_iter().map(|line| {
        view! {
            <tr>
                <td>{line.what}</td>
                <td class="n">{format::count(line.count)}</td>
                <td class="n sub">{format!("\u{d7} {}", price(line.usd_per_million))}</td>
                <td class="n">{micros(line.cost_usd_micros)}</td>
            </tr>
        }
    });
    // Without a price the tokens stand alone.
    let kinds = [
        ("Input", tokens.input),
        ("Cache write", tokens.cache_write),
        ("Cache write, one hour", tokens.cache_write_1h),
        ("Cache read", tokens.cache_read),
        ("Output", tokens.output),
    ];
    let bare = detail.lines.is_empty().then(|| {
        let rows = kinds.into_iter().filter(|(_, count)| *count > 0);
        rows.map(|(what, count)| {
            view! { <tr><td>{what}</td><td class="n">{format::count(count)}</td><td></td><td class="n faint">"unknown"</td></tr> }
        })
        .collect_view()
    });
    let sum = detail.row.calculated_usd_micros.map_or_else(|| "unknown".to_owned(), micros);
    let reasoning = (tokens.reasoning > 0).then(|| {
        view! { <tr><td class="sub" colspan="4">{format!("{} of the output is reasoning", format::count(tokens.reasoning))}</td></tr> }
    });
    view! {
        <table class="billtable">
            <thead><tr><th scope="col">"Billed as"</th><th scope="col" class="n">"Tokens"</th><th scope="col" class="n">"Price per M"</th><th scope="col" class="n">"Micro-dollars"</th></tr></thead>
            <tbody>{lines.collect_view()}{bare}{reasoning}</tbody>
            <tfoot><tr><th scope="row">"Calculated"</th><td class="n">{format::count(tokens.total())}</td><td></td><td class="n">{sum}</td></tr></tfoot>
        </table>
    }
}

fn micros(value: i64) -> String {
    let sign = if value < 0 { "\u{2212}" } else { "" };
    format!("{sign}{}", format::count(value.unsigned_abs()))
}

fn facts(detail: &UsageDetail) -> impl IntoView + use<> {
    let row = &detail.row;
    let request = &row.request;
    let prices = detail.prices.as_ref().map(|prices| {
        let model = row.price_model.clone().unwrap_or_default();
        let origin = if prices.origin.is_empty() { String::new() } else { format!(", {}", prices.origin) };
        format!("{model} in the table of {}{origin}", prices.version)
    });
    let reported = request.reported_usd_micros.map(|reported| match row.calculated_usd_micros {
        Some(calculated) => format!(
            "{}; against the prices {}, {}",
            format::money_exact(reported),
            signed(reported - calculated),
            apart(reported, calculated)
        ),
        None => format::money_exact(reported),
    });
    let mut how = Vec::new();
    how.extend(request.tier.clone());
    how.extend(request.fast.then(|| "fast mode".to_owned()));
    how.extend(request.geo.as_ref().map(|geo| format!("inference in {geo}")));
    let words: Vec<&str> = Vec::<orrery_types::Source>::from(row.sources).into_iter().map(source_word).collect();
    let optional =
        |label: &'static str, value: Option<String>| value.map(|value| view! { <dt>{label}</dt><dd>{value}</dd> });
    view! {
        <dl class="kv billfacts">
            <dt>"Model"</dt><dd>{request.model.clone().unwrap_or_else(|| "none was named".to_owned())}</dd>
            {optional("Billed as", (!how.is_empty()).then(|| how.join(", ")))}
            {optional("Prices", prices)}
            {optional("Agent says", reported)}
            <dt>"Told by"</dt><dd>{words.join(", ")}</dd>
            {optional("Request", request.request_id.clone())}
            {optional("Message", request.message_id().map(str::to_owned))}
            {optional("Subagent", request.subagent.clone())}
            <dt>"Session"</dt><dd><a href=routes::session(&request.session_id)>{request.session_id.clone()}</a></dd>
        </dl>
    }
}

fn reports(detail: &UsageDetail) -> impl IntoView + use<> {
    let reports = if detail.reports.is_empty() {
        detail
            .row
            .request
            .place
            .iter()
            .map(|place| view! { <li><span class="code clip">{place.clone()}</span></li> }.into_any())
            .collect_view()
    } else {
        detail.reports.iter().cloned().map(|report| view! { <li>{told_by(report)}</li> }.into_any()).collect_view()
    };
    let several = detail.reports.len() > 1;
    view! {
        <section>
            <h3>"Told in"</h3>
            <ul class="billreports">{reports}</ul>
            {several.then(|| view! { <p class="small muted">"One request, counted once: the report marked counts"</p> })}
        </section>
    }
}

fn told_by(report: UsageReport) -> impl IntoView {
    let line = report.line.map(|line| format!(":{line}")).unwrap_or_default();
    let place = format!("{}{line}", report.place);
    let shown = place.rsplit(['/', '\\']).next().unwrap_or(&place).to_owned();
    let mark = if report.counted { "counted" } else { "left out" };
    view! {
        <span class="tag">{source_word(report.source)}</span>
        <span class="code clip grow" title=place>{shown}</span>
        <span class="num muted">{format::count(report.tokens)}</span>
        <span class="small" class:faint=!report.counted>{mark}</span>
    }
}

fn raw(lines: &[UsageLine]) -> impl IntoView + use<> {
    let told = lines.iter().filter_map(|line| line.text.clone()).map(|text| {
        let pretty = serde_json::from_str::<serde_json::Value>(&text)
            .and_then(|value| serde_json::to_string_pretty(&value))
            .unwrap_or(text);
        view! { <Code text=pretty lang="json"/> }
    });
    let told = told.collect_view();
    if told.is_empty() {
        return view! { <p class="small muted">"The line was not kept, and its file is gone or has changed"</p> }
            .into_any();
    }
    told.into_any()
}

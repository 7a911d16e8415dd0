//! Cells of a row and of a day's head.

use std::sync::Arc;

use leptos::prelude::*;
use orrery_types::{SessionRow, SessionSort, Status};
use orrery_views::format;

use super::list::{Day, Line, Share, Sums, short_model, title, took_ms};
use crate::components::field::Check;
use crate::components::table::Column;
use crate::components::virtual_list::row_key;
use crate::components::{AgentGlyph, StatusBadge};
use crate::frame::{BillLink, Billed};
use crate::host::utc_offset_minutes;
use crate::routes;

/// Heads of the columns after the one with the box.
pub static COLUMNS: [Column<SessionSort>; 11] = [
    column("Status", None),
    column("First prompt", None),
    column("Project, branch", None),
    column("Model", None),
    figure("Start", SessionSort::Started),
    figure("Took", SessionSort::Duration),
    figure("Turns", SessionSort::Turns),
    figure("Tools", SessionSort::Tools),
    figure("Errors", SessionSort::Errors),
    figure("Tokens", SessionSort::Tokens),
    figure("Cost", SessionSort::Cost),
];

const fn column(name: &'static str, sort: Option<SessionSort>) -> Column<SessionSort> {
    Column { name, number: false, sort }
}

const fn figure(name: &'static str, sort: SessionSort) -> Column<SessionSort> {
    Column { name, number: true, sort: Some(sort) }
}

/// Identity and state of a line: a line that looks different is drawn again.
pub fn key(line: &Line) -> u64 {
    match line {
        Line::Day(day) => row_key(day),
        Line::Row { row, status, share } => {
            let cost = (row.cost_usd_micros, row.tokens.total(), share);
            row_key((
                &row.id,
                &row.title,
                *status,
                row.last_ms,
                row.turns,
                row.tools,
                row.errors,
                cost,
                &row.model,
                &row.branch,
            ))
        }
    }
}

/// Cells of a line. `is_selected` follows the selection.
pub fn cells(line: Line, is_selected: Signal<bool>, on_select: Callback<bool>) -> AnyView {
    match line {
        Line::Day(day) => day_cells(&day).into_any(),
        Line::Row { row, status, share } => row_cells(&row, status, share, is_selected, on_select).into_any(),
    }
}

fn row_cells(
    row: &Arc<SessionRow>,
    status: Status,
    share: Share,
    is_selected: Signal<bool>,
    on_select: Callback<bool>,
) -> impl IntoView + use<> {
    let name = title(row);
    let untitled = row.title.trim().is_empty();
    let offset = utc_offset_minutes(row.started_ms);
    let model = row.model.as_deref().map(short_model).unwrap_or_default();
    let unpriced = row.unpriced_requests > 0 && row.cost_usd_micros == 0;
    let cost = if unpriced { "unknown".to_owned() } else { format::money(row.cost_usd_micros) };
    let exact =
        if unpriced { "No price is known for this model".to_owned() } else { format::money_exact(row.cost_usd_micros) };
    let errors = match row.errors {
        0 => ("n zero cell--errors", "\u{2013}".to_owned()),
        1..=4 => ("n sub cell--errors", row.errors.to_string()),
        _ => ("n danger cell--errors", row.errors.to_string()),
    };
    view! {
        <div role="gridcell" class="cell cell--check">
            <Check label=format!("Select {name}") on=is_selected on_change=on_select/>
        </div>
        <div role="gridcell" class="cell cell--status"><StatusBadge status=Signal::stored(status)/></div>
        <div role="gridcell" class="cell cell--title" title=name.clone()>
            <a class="clip cell__link" class:faint=untitled href=routes::session(&row.id) tabindex="-1">{name.clone()}</a>
            {row.demo.then(|| view! { <span class="tag">"demo"</span> })}
            {row.parent.is_some().then(|| view! { <span class="tag">"child"</span> })}
        </div>
        <div role="gridcell" class="cell cell--project">
            <span class="clip">{row.project.clone()}" "<span class="faint">{row.branch.clone()}</span></span>
        </div>
        <div role="gridcell" class="cell cell--model" title=row.model.clone()>
            <AgentGlyph agent=row.agent.clone()/><span class="clip muted">{model}</span>
        </div>
        <div role="gridcell" class="cell n sub cell--start" title=format::moment(row.started_ms, offset)>
            {format::clock_minutes(row.started_ms, offset)}
        </div>
        <div role="gridcell" class="cell n sub cell--took">{format::duration_ms(took_ms(row))}</div>
        <div role="gridcell" class="cell n sub cell--turns">{format::count(u64::from(row.turns))}</div>
        <div role="gridcell" class="cell n sub cell--tools">{format::count(u64::from(row.tools))}</div>
        <div role="gridcell" class=format!("cell {}", errors.0)>{errors.1}</div>
        <div role="gridcell" class="cell n sub cell--tokens" title=format::count(row.tokens.total())>
            {format::tokens(row.tokens.total())}
        </div>
        <div role="gridcell" class="cell n cell--cost">
            <span class="bar bar--text cell__bar" aria-hidden="true"><i style=format!("width:{share}%")></i></span>
            <span class:faint=unpriced><BillLink billed=Billed::session(&row.id) text=cost title=exact stops=false/></span>
        </div>
    }
}

fn day_cells(day: &Day) -> impl IntoView + use<> {
    let Sums { sessions, took_ms, turns, tools, errors, tokens, cost_usd_micros } = day.sums;
    let figure =
        |class: &str, text: String| view! { <div role="gridcell" class=format!("cell n {class}")>{text}</div> };
    view! {
        <div role="gridcell" class="cell cell--day">
            <b>{day.label.clone()}</b><span class="faint">{format::plural(sessions, "session")}</span>
        </div>
        {figure("cell--took", format::duration_ms(took_ms))}
        {figure("cell--turns", format::count(turns))}
        {figure("cell--tools", format::count(tools))}
        {figure("cell--errors", if errors == 0 { "\u{2013}".to_owned() } else { format::count(errors) })}
        {figure("cell--tokens", format::tokens(tokens))}
        <div role="gridcell" class="cell n cell--cost"><b>{format::money(cost_usd_micros)}</b></div>
    }
}

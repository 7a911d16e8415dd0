//! The orrery, drawn large: the person in the middle, agents on their rings, one of which calls.

use leptos::prelude::*;

#[component]
pub fn Orbit() -> impl IntoView {
    view! {
        <div class="sky">
            <svg class="orrery" viewBox="0 0 632 900" preserveAspectRatio="xMinYMid slice" aria-hidden="true">
                <circle class="ring" cx="212" cy="440" r="70"/>
                <circle class="ring" cx="212" cy="440" r="128"/>
                <circle class="ring" cx="212" cy="440" r="190"/>
                <circle class="ring" cx="212" cy="440" r="262"/>
                <circle class="ring" cx="212" cy="440" r="344"/>
                <circle class="ring" cx="212" cy="440" r="470"/>
                <path class="scale" d=scale()>
                </path>
                <path class="arm" d="M212 440L111.3 601.1" stroke-opacity=".45"/>
                <path class="arm" d="M212 440L293.0 190.8" stroke-opacity=".45"/>
                <path class="arm" d="M212 440L362.8 749.2"/>
                <circle cx="212" cy="440" r="20" class="orrery__sun"/>
                <circle cx="212" cy="440" r="12" class="orrery__core"/>
                <circle cx="148.6" cy="410.4" r="10" class="orrery__gap"/>
                <rect x="143.6" y="405.4" width="10" height="10" rx="2" class="agent--codex"/>
                <circle cx="312.9" cy="361.2" r="12" class="orrery__gap"/>
                <circle cx="312.9" cy="361.2" r="7" class="agent--claude"/>
                <circle cx="111.3" cy="601.1" r="11" class="orrery__gap"/>
                <path d="M111.3 594.1l7 7-7 7-7-7z" class="agent--gemini"/>
                <circle cx="293" cy="190.8" r="14" class="orrery__gap"/>
                <circle cx="293" cy="190.8" r="9" class="agent--claude"/>
                <circle cx="443.3" cy="563" r="10" class="orrery__gap"/>
                <rect x="438.3" y="558" width="10" height="10" rx="2" class="agent--codex"/>
                <circle cx="362.8" cy="749.2" r="13" class="orrery__gap"/>
                <circle cx="362.8" cy="749.2" r="8" class="orrery__call"/>
                <circle cx="488.3" cy="59.8" r="11" class="orrery__gap"/>
                <rect x="482.3" y="53.8" width="12" height="12" rx="2" class="agent--codex"/>
                </svg>
            <div class="sky__name"><svg aria-hidden="true"><use href="#mark"></use></svg>"Orrery"</div>
            <p class="sky__say">"Everything stays on this machine. Orrery reads what your agents write, and never sends it anywhere"</p>
        </div>
    }
}

/// The scale on the fifth ring: 240 ticks, longer every fifth, longest every tenth.
fn scale() -> String {
    (0..240_u32)
        .map(|tick| {
            let angle = f64::from(tick) * std::f64::consts::TAU / 240.0;
            let length = match tick {
                _ if tick % 10 == 0 => 14.0,
                _ if tick % 5 == 0 => 9.0,
                _ => 5.0,
            };
            let at = |radius: f64| (212.0 + radius * angle.cos(), 440.0 + radius * angle.sin());
            let ((x1, y1), (x2, y2)) = (at(344.0), at(344.0 - length));
            format!("M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}")
        })
        .collect()
}

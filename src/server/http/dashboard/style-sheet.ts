/** Style sheet for all pages. In both color schemes, text has a contrast ratio of at least 4.5:1 against its background. */
export const styleSheet = `
:root {
  color-scheme: light dark;
  --ground: #f6f7f8;
  --card: #ffffff;
  --text: #1c2327;
  --quiet: #56626a;
  --line: #d8dee2;
  --accent: #0b6e75;
  --accent-text: #ffffff;
  --up-to-date: #1f7a3d;
  --updating: #1a66b8;
  --pending: #6a4fb3;
  --blocked: #8a5a00;
  --failed: #b3261e;
  --unknown: #5d6970;
  --track: #e6eaed;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14191c;
    --card: #1c2327;
    --text: #e6ebee;
    --quiet: #a3afb6;
    --line: #344047;
    --accent: #5cc4cc;
    --accent-text: #0d1214;
    --up-to-date: #6fcf8b;
    --updating: #7db4f0;
    --pending: #b9a6f2;
    --blocked: #e2b04d;
    --failed: #f58a82;
    --unknown: #a3afb6;
    --track: #2b343a;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0;
  background: var(--ground);
  color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
}
a { color: var(--accent); }
a:focus-visible, button:focus-visible, input:focus-visible, select:focus-visible, summary:focus-visible, [tabindex="0"]:focus-visible {
  outline: 3px solid var(--accent);
  outline-offset: 2px;
}
main { max-width: 70rem; margin: 0 auto; padding: 1rem 1rem 4rem; outline: none; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 1rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2rem 0 0.5rem; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 1.25rem 0 0.25rem; }
p { margin: 0.5rem 0; max-width: 48rem; overflow-wrap: anywhere; }
code, .mac { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 0.875em; overflow-wrap: anywhere; }
.mac, .version, time { white-space: nowrap; }
.version { display: inline-block; max-width: 100%; overflow: hidden; text-overflow: ellipsis; vertical-align: bottom; }
td .version, th .version { max-width: 12rem; }
.quiet, .mac, .reason { color: var(--quiet); }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 0.5rem; top: 0.5rem; padding: 0.5rem 1rem; background: var(--card); z-index: 1; }

.bar { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; justify-content: space-between; align-items: center; padding: 0.5rem 1rem; background: var(--card); border-bottom: 1px solid var(--line); }
.crumbs { display: flex; flex-wrap: wrap; margin: 0; padding: 0; list-style: none; }
.crumbs li + li::before { content: "/"; margin: 0 0.5rem; color: var(--quiet); }
.brand { font-weight: 700; text-decoration: none; }
.who { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: center; }
.tabs { display: flex; flex-wrap: wrap; gap: 0 1.5rem; padding: 0 1rem; background: var(--card); border-bottom: 1px solid var(--line); }
.tabs a { padding: 0.6rem 0; color: var(--quiet); text-decoration: none; border-bottom: 3px solid transparent; }
.tabs a:hover { color: var(--text); }
.tabs .mark { display: inline-block; min-width: 1.25em; margin-left: 0.35rem; border-radius: 1rem; background: var(--failed); color: var(--card); font-size: 0.8rem; font-weight: 700; line-height: 1.25em; text-align: center; }
.tabs a[aria-current] { color: var(--text); font-weight: 600; border-color: var(--accent); }

button, input, select { font: inherit; color: inherit; }
button { min-height: 2.4rem; padding: 0.35rem 0.9rem; border: 1px solid var(--line); border-radius: 0.4rem; background: var(--card); cursor: pointer; }
button:hover { border-color: var(--accent); }
button.main { background: var(--accent); color: var(--accent-text); border-color: var(--accent); }
button.danger { color: var(--failed); border-color: var(--failed); }
input:not([type="checkbox"]), select { width: 100%; height: 2.4rem; padding: 0.35rem 0.6rem; border: 1px solid var(--quiet); border-radius: 0.4rem; background: var(--card); }
label { font-size: 0.875rem; color: var(--quiet); }
input[type="checkbox"] + label { font-size: 1rem; color: var(--text); }
summary { cursor: pointer; color: var(--accent); width: fit-content; }
.problem { padding: 0.6rem 1rem; border-left: 4px solid var(--failed); background: var(--card); }

.login { max-width: 26rem; margin: 10vh auto 0; }
.login form { display: grid; gap: 0.5rem; }

.card { background: var(--card); border: 1px solid var(--line); border-radius: 0.6rem; padding: 1rem 1.25rem; margin: 0 0 1rem; }
.card > h2:first-child { margin-top: 0; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(22rem, 100%), 1fr)); gap: 1rem; padding: 0; list-style: none; }
.cards .card { margin: 0; }
.lines { padding-left: 1.25rem; max-width: 48rem; }
.lines li { overflow-wrap: anywhere; }

.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(15rem, 100%), 1fr)); gap: 0.5rem 1.5rem; margin: 0.75rem 0; }
.facts dt { font-size: 0.8rem; color: var(--quiet); }
.facts dd { margin: 0; overflow-wrap: anywhere; }

.badge { display: inline-block; padding: 0 0.5rem; margin-right: 0.35rem; border: 1px solid currentColor; border-radius: 1rem; font-size: 0.875rem; font-weight: 600; white-space: nowrap; }
.badge.up-to-date, .chip.up-to-date .count { color: var(--up-to-date); }
.badge.updating, .chip.updating .count { color: var(--updating); }
.badge.pending, .chip.pending .count { color: var(--pending); }
.badge.blocked, .chip.blocked .count { color: var(--blocked); }
.badge.failed, .chip.failed .count { color: var(--failed); }
.badge.unknown, .chip.unknown .count { color: var(--unknown); }

.chips { display: flex; flex-wrap: wrap; gap: 0.5rem; margin: 0 0 0.75rem; padding: 0; list-style: none; }
.chip { display: block; padding: 0.25rem 0.75rem; border: 1px solid var(--line); border-radius: 0.5rem; background: var(--card); color: var(--text); text-decoration: none; }
.chip .count { font-weight: 700; font-variant-numeric: tabular-nums; }
.chip:hover, .chip[aria-current] { border-color: var(--accent); }
.chip[aria-current] { box-shadow: inset 0 0 0 1px var(--accent); }

.share { display: block; width: 100%; height: 0.75rem; border-radius: 0.375rem; }
.share .track { fill: var(--track); }
.fill.up-to-date, .area.up-to-date { fill: var(--up-to-date); }
.fill.updating, .area.updating { fill: var(--updating); }
.fill.pending { fill: var(--pending); }
.fill.blocked, .area.blocked { fill: var(--blocked); }
.fill.failed, .area.failed { fill: var(--failed); }
.fill.unknown { fill: var(--track); }
.tally { display: flex; flex-wrap: wrap; gap: 0.1rem 1.25rem; margin: 0.35rem 0; font-size: 0.9375rem; max-width: none; }
.dot { display: inline-block; width: 0.7em; height: 0.7em; border-radius: 50%; margin-right: 0.2em; border: 1px solid transparent; }
.dot.up-to-date { background: var(--up-to-date); }
.dot.updating { background: var(--updating); }
.dot.pending { background: var(--pending); }
.dot.blocked { background: var(--blocked); }
.dot.failed { background: var(--failed); }
.dot.unknown { background: var(--track); border-color: var(--quiet); }

.filter { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: end; margin: 1.25rem 0; }
.filter > div { flex: 1 1 8rem; max-width: 18rem; }
.paging { display: flex; gap: 1.5rem; margin: 1rem 0; }

table { width: 100%; border-collapse: collapse; background: var(--card); font-size: 0.9375rem; }
th, td { padding: 0.5rem 0.75rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
thead th { font-size: 0.8rem; color: var(--quiet); font-weight: 600; white-space: nowrap; }
tbody th { font-weight: 600; }
.number, time { font-variant-numeric: tabular-nums; }
.fleet .mac, .fleet .reason { display: block; font-weight: 400; }
.fleet .reason { font-size: 0.875rem; }

.lead { font-size: 1.0625rem; max-width: none; margin: 0 0 0.75rem; }
.actions { display: flex; flex-wrap: wrap; gap: 0.75rem 1.5rem; align-items: start; margin: 1rem 0; }
.actions details[open] { flex: 1 1 18rem; max-width: 28rem; padding: 0.75rem 1rem; border: 1px solid var(--line); border-radius: 0.5rem; background: var(--card); }
.actions summary { padding: 0.35rem 0; }
.actions .primary { flex: 1 1 100%; max-width: 40rem; padding: 0.75rem 1rem; border: 1px solid var(--line); border-left: 4px solid var(--failed); border-radius: 0.5rem; background: var(--card); }
details form, .primary form { display: grid; grid-template-columns: minmax(0, 1fr); gap: 0.5rem; max-width: 28rem; justify-items: start; }
.stages { display: grid; gap: 0.75rem; margin: 0; padding: 0; list-style: none; }
.stages li { padding: 0.5rem 1rem 0.25rem; background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--accent); border-radius: 0.4rem; }
.stages .closed { border-left-color: var(--line); }

.chart { margin: 0; padding: 1rem; background: var(--card); border: 1px solid var(--line); border-radius: 0.6rem; }
.chart svg { display: block; width: 100%; max-width: 52rem; margin: 0 auto; }
.chart .grid { stroke: var(--line); }
.chart .opening { stroke: var(--quiet); stroke-dasharray: 3 3; }
.chart .axis { fill: var(--quiet); font-size: 11px; }

/* Pages with forms that fill the page. */
.button { display: inline-block; min-height: 2.75rem; padding: 0.55rem 1rem; border: 1px solid var(--accent); border-radius: 0.4rem; background: var(--accent); color: var(--accent-text); text-decoration: none; }
.task { display: grid; gap: 0.25rem; max-width: 40rem; }
.task label, .task legend { margin-top: 0.75rem; }
.task button, .task input:not([type="checkbox"]), .task select, .task summary { min-height: 2.75rem; }
.task button { margin-top: 1rem; justify-self: start; }
.task .drop { height: auto; padding: 2.5rem 1rem; border: 2px dashed var(--quiet); }
.task .drop:hover { border-color: var(--accent); }
.task .quiet { margin: 0; font-size: 0.875rem; }
.task textarea { width: 100%; padding: 0.5rem 0.6rem; border: 1px solid var(--quiet); border-radius: 0.4rem; background: var(--card); color: inherit; font: inherit; }
textarea:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.notes { max-width: 48rem; overflow-wrap: anywhere; }
.notes pre { overflow-x: auto; padding: 0.5rem 0.75rem; background: var(--card); border: 1px solid var(--line); border-radius: 0.4rem; }
.notes blockquote { margin: 0.5rem 0; padding-left: 0.75rem; border-left: 3px solid var(--line); }
.stage-counts :is(th, td) { overflow-wrap: normal; }
.card-link { display: inline-block; padding: 0.65rem 0; }
.notice { padding: 0.6rem 1rem; border-left: 4px solid var(--up-to-date); background: var(--card); }

@media (max-width: 36rem) {
  main { padding: 0.5rem 0.75rem 3rem; }
  .filter > div { flex-basis: 100%; max-width: none; }
  .chart { padding: 0.5rem; }
  .chart .axis { font-size: 20px; }
  .timeline time { display: block; }
  .fleet tbody th { position: relative; padding-right: 3rem; }
  .fleet tbody th input[type="checkbox"] { position: absolute; top: 0; right: 0; width: 2.75rem; height: 2.75rem; margin: 0; }
}
/* Device list and device page. */
.done { padding: 0.6rem 1rem; border-left: 4px solid var(--up-to-date); background: var(--card); }
.choices { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; align-items: center; }
fieldset { margin: 1rem 0; padding: 0.5rem 1rem; border: 1px solid var(--line); border-radius: 0.5rem; min-width: 0; }
legend { padding: 0 0.35rem; color: var(--quiet); font-size: 0.875rem; }
.bulk .filter { margin: 0.25rem 0 0.5rem; }
thead th a { color: inherit; }
.timeline { margin: 0; padding: 0 0 0 1rem; border-left: 2px solid var(--line); list-style: none; max-width: 48rem; }
.timeline li { position: relative; padding: 0.25rem 0; overflow-wrap: anywhere; }
.timeline li::before { content: ""; position: absolute; left: -1.4rem; top: 0.75rem; width: 0.7rem; height: 0.7rem; border-radius: 50%; background: var(--unknown); }
.timeline time { display: inline-block; min-width: 8rem; color: var(--quiet); }
.timeline .is-attempt::before, .timeline .is-version::before { background: var(--updating); }
.timeline .is-change::before { background: var(--pending); }
.timeline .is-check-in::before { background: var(--up-to-date); }
.chart .track { fill: var(--track); }

/* First steps. */
.snippet { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: start; margin: 0.5rem 0; }
.snippet pre { flex: 1 1 16rem; min-width: 0; margin: 0; padding: 0.6rem 0.8rem; overflow-x: auto; border: 1px solid var(--line); border-radius: 0.4rem; background: var(--ground); }
.snippet code { overflow-wrap: normal; color: var(--text); }
[hidden] { display: none; }

/* Charts. The series of versions have their own colors, because those of states would have a meaning. */
.series-0 { fill: var(--accent); background: var(--accent); }
.series-1 { fill: var(--pending); background: var(--pending); }
.series-2 { fill: var(--blocked); background: var(--blocked); }
.series-3 { fill: var(--updating); background: var(--updating); }
.series-4 { fill: var(--up-to-date); background: var(--up-to-date); }
.series-5 { fill: var(--failed); background: var(--failed); }
.series-6 { fill: var(--unknown); background: var(--unknown); }
.limits { margin: 0.5rem 0; }
.limits svg { display: block; width: 100%; height: 2.5rem; }
.limits .track { fill: var(--track); }
.limits .limit { fill: var(--text); }
.limits figcaption { display: flex; flex-wrap: wrap; gap: 0 1.25rem; font-size: 0.875rem; }

/* On a phone, each row of a table is a card, and everything that can be tapped is at least 44 px high and wide. */
@media (max-width: 40rem) {
  .rows, .rows tbody, .rows tr, .rows td, .rows tbody th { display: block; }
  .rows { background: none; }
  .rows thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .rows thead a { visibility: hidden; }
  .rows tbody tr { margin-bottom: 0.75rem; padding: 0.5rem 0.75rem; border: 1px solid var(--line); border-radius: 0.6rem; background: var(--card); }
  .rows td, .rows tbody th { padding: 0.15rem 0; border: 0; }
  .rows .version { max-width: 100%; }
  .rows td[data-label]::before { content: attr(data-label); display: inline-block; min-width: 6.5rem; padding-right: 0.5rem; color: var(--quiet); font-size: 0.8rem; }
  .fleet .reason { padding-left: 0; }
  button, input:not([type="checkbox"]), select, summary { min-height: 2.75rem; }
  summary { display: list-item; padding: 0.6rem 0; min-width: 2.75rem; }
  .crumbs a, .tabs a, .chip, .alone a, .paging a, .filter a, .cards h2 a, .card > h2 a, .rows tbody th a, .tally a { display: inline-flex; gap: 0.35em; align-items: center; justify-content: center; min-width: 2.75rem; max-width: 100%; min-height: 2.75rem; }
  .rows td > a:only-child { display: inline-flex; align-items: center; min-width: 2.75rem; min-height: 2.75rem; }
  .version { min-width: 0; }
  form button { max-width: 100%; }
  .crumbs, .tally { align-items: center; }
  .skip:focus { padding: 0.6rem 1rem; }
  input[type="checkbox"] { width: 1.5rem; height: 1.5rem; vertical-align: middle; }
  input[type="checkbox"] + label { display: inline-block; padding: 0.6rem 0 0.6rem 0.5rem; min-width: 2.75rem; min-height: 2.75rem; max-width: calc(100% - 2.5rem); vertical-align: middle; }
}
@media (prefers-reduced-motion: no-preference) {
  a, button { transition: border-color 0.15s; }
}
`;

/** Additions to the style sheet of the dashboard: larger targets for fingers, and the parts that only this page has. */
export const localStyle = `
.local button, .local a.button, .local summary, .local input:not([type="checkbox"]), .local select { min-height: 2.75rem; }
.local input:not([type="checkbox"]) { height: 2.75rem; }
.local .brand { display: inline-flex; align-items: center; min-height: 2.75rem; }
.local summary { display: flex; align-items: center; }
.local summary::before { content: "▸"; width: 1.25rem; }
.local details[open] > summary::before { content: "▾"; }
.local summary::-webkit-details-marker { display: none; }
.local a.button { display: inline-flex; align-items: center; padding: 0.35rem 0.9rem; border: 1px solid var(--line); border-radius: 0.4rem; background: var(--card); color: var(--text); text-decoration: none; }
.local a.button:hover { border-color: var(--accent); }
.local .done { padding: 0.6rem 1rem; border-left: 4px solid var(--up-to-date); background: var(--card); }
.local .problem, .local .done { margin: 0 0 1rem; }
.local .head { display: flex; flex-wrap: wrap; gap: 0.25rem 0.75rem; align-items: baseline; justify-content: space-between; }
.local .head h3 { margin: 0; font-size: 1.0625rem; overflow-wrap: anywhere; }
.local .card .facts { grid-template-columns: minmax(0, auto) minmax(0, 1fr); gap: 0.15rem 0.75rem; }
.local .card .facts dt { font-size: 0.875rem; }
.local .cards { align-items: start; }
.local .address { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.local progress { display: block; width: 100%; height: 0.75rem; margin: 0.25rem 0 0.5rem; border: 0; border-radius: 0.375rem; background: var(--track); color: var(--updating); appearance: none; overflow: hidden; }
.local progress::-webkit-progress-bar { background: var(--track); }
.local progress::-webkit-progress-value { background: var(--updating); }
.local progress::-moz-progress-bar { background: var(--updating); }
.local .reasons { margin: 0.25rem 0 0.5rem; padding: 0; list-style: none; display: grid; gap: 0.5rem; }
.local .reasons li { padding-left: 0.75rem; border-left: 3px solid var(--blocked); overflow-wrap: anywhere; }
.local .reasons p { margin: 0; }
.local .all { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: end; }
.local .all > div { display: grid; gap: 0.25rem; }
.local .all input[type="number"] { width: 6rem; }
.local .single { max-width: 30rem; margin: 0 auto; }
.local .single form { display: grid; gap: 0.75rem; }
.local .field { display: grid; gap: 0.25rem; }
.local .check { display: flex; gap: 0.75rem; align-items: center; min-height: 2.75rem; font-size: 1rem; color: var(--text); }
.local .check input { width: 1.25rem; height: 1.25rem; accent-color: var(--accent); flex: none; }
.local fieldset { margin: 0; padding: 0.5rem 1rem; border: 1px solid var(--line); border-radius: 0.4rem; }
.local .buttons { display: flex; flex-wrap: wrap; gap: 0.75rem; }
`;

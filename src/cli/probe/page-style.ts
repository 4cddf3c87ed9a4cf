/** The page's style sheet; the reader's light or dark setting decides the colours. */
export const pageStyle = `
:root {
  --ground: #ffffff; --ink: #1c2024; --soft: #5f6770; --line: #d9dee3; --panel: #f5f7f9;
  --good: #1a7f4b; --bad: #c4302b; --server: #9a6700; --band: #c4302b22;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171a; --ink: #e8ebee; --soft: #9aa4ae; --line: #343b42; --panel: #1c2126;
    --good: #4cc38a; --bad: #ff7b72; --server: #e3b341; --band: #ff7b7233;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 860px; margin: 0 auto; padding: 32px 20px 48px; }
h1 { font-size: 24px; margin: 0 0 8px; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 32px 0 8px; }
.finding { font-size: 18px; margin: 0 0 12px; }
ul { margin: 0 0 12px; padding-left: 20px; color: var(--soft); }
figure { overflow-x: auto; margin: 20px 0 0; padding: 12px; background: var(--panel); border: 1px solid var(--line); border-radius: 8px; }
figcaption { color: var(--soft); font-size: 14px; margin-top: 4px; }
svg { display: block; width: 100%; min-width: 560px; height: auto; font: 12px system-ui, sans-serif; }
.lane { stroke: var(--line); }
.grid { stroke: var(--line); stroke-dasharray: 2 4; }
.label { fill: var(--ink); font-size: 13px; }
.axis { fill: var(--soft); }
.limit { fill: var(--band); stroke: var(--bad); stroke-width: 1; }
.limit-label { fill: var(--ink); font-size: 13px; font-weight: 600; }
.mark { fill: none; stroke-width: 2; }
.survived.mark { fill: var(--good); stroke: var(--ground); stroke-width: 1; }
.reset.mark { stroke: var(--bad); }
.silent.mark { stroke: var(--bad); fill: var(--ground); }
.closed.mark, .cut.mark { fill: var(--server); stroke: var(--ground); stroke-width: 1; }
pre { margin: 0; padding: 12px; background: var(--panel); border: 1px solid var(--line); border-radius: 8px; overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 3px 24px 3px 0; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; }
tr.reset td:nth-child(2), tr.silent td:nth-child(2) { color: var(--bad); }
tr.survived td:nth-child(2) { color: var(--good); }
tr.closed td:nth-child(2), tr.cut td:nth-child(2) { color: var(--server); }
.small { color: var(--soft); font-size: 14px; margin-top: 24px; }
`;

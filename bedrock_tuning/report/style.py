"""The style sheet of the report's page: light and dark, desk and phone."""

from typing import Final

STYLE: Final = """
:root{--bg:#f6f7f9;--card:#fff;--ink:#1b2027;--dim:#5b6673;--line:#dde2e8;--bar:#3b73c4;
--error:#b3261e;--error-bg:#fdecea;--warning:#8a5300;--warning-bg:#fff3dc;--info:#2a5db0;
--info-bg:#e8f0fd;--good:#1b6e3c;--good-bg:#e6f4ea;--code:#f0f2f5}
@media (prefers-color-scheme:dark){:root{--bg:#14171b;--card:#1d2127;--ink:#e6e9ed;--dim:#9aa5b1;
--line:#343b44;--bar:#6ea0ea;--error:#ff9d94;--error-bg:#4a1f1c;--warning:#f3c26b;
--warning-bg:#43320f;--info:#9cc2ff;--info-bg:#1d3152;--good:#86d6a2;--good-bg:#163a25;
--code:#2a3038}}
*{box-sizing:border-box}
html{scroll-padding-top:1rem}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:70rem;margin:0 auto;padding:1.5rem 1rem 3rem}
h1{font-size:1.6rem;line-height:1.2;margin:.2rem 0 .4rem}
h2{font-size:1.2rem;margin:2rem 0 .6rem}
a{color:var(--info)}
small{color:var(--dim);font-size:.875rem}
header{border-radius:.6rem;padding:1.2rem 1.4rem;border-left:.5rem solid}
header p{margin:0}
header.valid{background:var(--good-bg);border-color:var(--good)}
header.rejected{background:var(--error-bg);border-color:var(--error)}
.stamp{font-weight:700;text-transform:uppercase;letter-spacing:.08em}
.valid .stamp{color:var(--good)}
.rejected .stamp{color:var(--error)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.6rem;
margin-top:1rem}
.tile{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.7rem .9rem}
.tile b{display:block;font-size:1.5rem;line-height:1.2;font-variant-numeric:tabular-nums}
.tile span{color:var(--dim);font-size:.875rem}
.tile.error b{color:var(--error)}
.tile.warning b{color:var(--warning)}
table{width:100%;border-collapse:collapse;background:var(--card)}
th{text-align:left;font-size:.8rem;color:var(--dim);font-weight:600}
th,td{padding:.45rem .7rem;border-bottom:1px solid var(--line);vertical-align:top}
td{overflow-wrap:anywhere}
.rules{border:1px solid var(--line);border-radius:.5rem}
.rules small{display:block}
.rules td:last-child{width:34%}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;font-weight:600}
.rules th:first-child{text-align:right}
.badge{display:inline-block;border-radius:1rem;padding:0 .55rem;font-size:.8rem;font-weight:600;
white-space:nowrap}
.badge.error{background:var(--error-bg);color:var(--error)}
.badge.warning{background:var(--warning-bg);color:var(--warning)}
.badge.info{background:var(--info-bg);color:var(--info)}
details{background:var(--card);border:1px solid var(--line);border-radius:.5rem;margin:.6rem 0}
summary{cursor:pointer;padding:.7rem .9rem}
details details{border:0;border-top:1px solid var(--line);border-radius:0;margin:0}
details p{margin:.2rem .9rem .6rem;max-width:50rem}
.fix::before{content:"Fix: ";font-weight:600}
.findings{border-top:1px solid var(--line)}
.findings tr:last-child td{border-bottom:0}
.findings td:nth-child(1){width:9rem}
.findings td:nth-child(3),.findings td:nth-child(4){width:24%}
.row{white-space:nowrap}
code{font:.875rem/1.4 ui-monospace,monospace;background:var(--code);border-radius:.25rem;
padding:0 .25rem}
code:empty{display:none}
img{max-width:10rem;max-height:10rem;margin-top:.3rem;border-radius:.25rem}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(19rem,1fr));gap:.8rem}
figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:.5rem;
padding:.7rem;display:flex;flex-direction:column;justify-content:flex-end}
figcaption{color:var(--dim);font-size:.875rem;margin-top:.3rem}
.chart{width:100%;height:auto;display:block}
.chart .bar{fill:var(--bar)}
.chart .axis{stroke:var(--line)}
.chart .mark{fill:var(--dim);font-size:10px}
.chart .limit{stroke:var(--error);stroke-dasharray:3 2}
.chart .limit-text{fill:var(--error);font-size:10px}
.chart .box{fill:none;stroke:var(--error);stroke-dasharray:3 2}
dl{background:var(--card);border:1px solid var(--line);border-radius:.5rem;margin:0;
padding:.7rem .9rem}
dt{font-weight:600}
dd{margin:0 0 .5rem;overflow-wrap:anywhere}
dd:last-child{margin:0}
footer{margin-top:2rem;color:var(--dim);font-size:.875rem}
@media (max-width:40rem){
body{font-size:15px}
main{padding:.8rem .7rem 2rem}
.tiles{grid-template-columns:repeat(2,1fr)}
.rules thead,.findings thead{position:absolute;left:-999rem}
.rules,.rules tbody,.rules tr,.rules td,.findings,.findings tbody,.findings tr,.findings td{
display:block}
.rules tr{display:grid;grid-template-columns:auto 1fr;gap:0 .6rem;padding:.5rem .7rem;
border-bottom:1px solid var(--line)}
.rules td,.rules td:last-child{border:0;padding:.1rem 0;width:auto}
.rules td:nth-child(n+3){grid-column:1/-1}
.findings tr{padding:.5rem .9rem;border-bottom:1px solid var(--line)}
.findings td,.findings td:nth-child(n){border:0;padding:.1rem 0;width:auto}
.findings td:not(:empty)::before{content:attr(data-label)": ";color:var(--dim);font-size:.8rem}
.findings td.row{font-weight:600}
.charts{grid-template-columns:1fr}
}
@media print{details{break-inside:avoid}body{background:#fff}}
"""

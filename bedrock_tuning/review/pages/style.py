"""What the review's page adds to the style sheet of the reports."""

from typing import Final

STYLE: Final = """
nav{display:flex;flex-wrap:wrap;gap:.3rem 1rem;margin:1rem 0 0;font-size:.9rem}
.wide{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:.5rem;
padding:.6rem}
.wide svg{display:block;margin:0 auto}
.facts{border:1px solid var(--line);border-radius:.5rem}
.facts tr:last-child td{border-bottom:0}
.facts td{min-width:5rem;overflow-wrap:anywhere}
.statements td:nth-child(2){width:30%}.statements td:nth-child(3){width:34%}
details .facts{border:0;border-top:1px solid var(--line);border-radius:0}
.badge.level-all,.badge.level-permissions,.badge.loosened,.badge.replaced,.badge.removed{
background:var(--error-bg);color:var(--error)}
.badge.level-write,.badge.level-tag,.badge.changed,.badge.workflow{background:var(--warning-bg);
color:var(--warning)}
.badge.level-run,.badge.added{background:var(--info-bg);color:var(--info)}
.badge.level-read,.badge.level-list,.badge.level-use,.badge.tightened{background:var(--good-bg);
color:var(--good)}
tr.grave td{background:var(--error-bg)}
.warn{color:var(--warning);font-weight:600;white-space:normal}
.tail{color:var(--dim)}
summary small{margin-left:.5rem}
.checks{columns:2 24rem;padding:0 .9rem .9rem;margin:0;list-style:none;font-size:.9rem}
.checks li{break-inside:avoid;margin:.2rem 0}
.checks .no{color:var(--error);font-weight:600}
@media (max-width:40rem){
.facts thead{position:absolute;left:-999rem}
.facts,.facts tbody,.facts tr,.facts td{display:block;width:100%}
.facts tr{border-bottom:1px solid var(--line);padding:.4rem 0}
.facts td,.statements td:nth-child(n){border:0;padding:.1rem .7rem;width:100%}
.facts td[data-label]::before{content:attr(data-label) ": ";color:var(--dim);font-size:.8rem}
.facts td:empty{display:none}
}
@media print{.wide{overflow:visible}details{break-inside:avoid}}
"""

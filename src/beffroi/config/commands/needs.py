"""`beffroi needs`: what this installation takes of its machine, what it costs, and what is on for a commune."""

from __future__ import annotations

import os

import click

from beffroi.base.kernel.errors import NotFound
from beffroi.config.cli import start_django
from beffroi.config.commands.readiness import require_registry


@click.command("needs")
@click.option("--commune", "code", default="", help="Code INSEE ; la première commune sans elle.")
def needs_command(code: str) -> None:
    """Dire ce que demande cette installation : mémoire, processeur, disque, euros par mois, et ce qui est allumé."""
    start_django()
    require_registry()
    from django.conf import settings

    from beffroi.base.territory import queries
    from beffroi.faces.cockpit.needs import OFF, ON, WAITING, needs_of

    code = code or settings.DEFAULT_COMMUNE
    commune = next((one for one in queries.communes() if code in ("", one.code)), None)
    if commune is None:
        raise NotFound("aucune commune de ce code", where=code, remedy="créez-la : beffroi territory add CODE_INSEE")
    found = needs_of(commune, apart=os.getpid())
    click.echo(f"{commune.name} ({commune.code})")
    if found.taken is None:
        click.echo("Mémoire et processeur : rien ne tourne ici en ce moment, ou la machine ne le dit pas")
    else:
        one = found.taken
        click.echo(
            f"Mémoire : {one.memory_mb:.0f} Mo pour {one.processes} processus, {one.peak_mb:.0f} Mo au plus haut\n"
            f"Processeur : {one.cores:.2f} cœur occupé en moyenne depuis {one.hours:.1f} h, "
            f"sur {found.machine.cores}"
        )
    click.echo(f"Disque : {found.disk_bytes / 1e6:.0f} Mo, {found.machine.free_bytes / 1e9:.1f} Go libres")
    for name, size in found.disk[:6]:
        click.echo(f"  {name} : {size / 1e6:.1f} Mo")
    if found.monthly_eur is None:
        click.echo("Coût : aucun prix n’a été donné ; écrivez votre table et nommez-la dans BEFFROI_HOSTING")
    else:
        click.echo(f"Coût : {found.monthly_eur:.2f} € par mois")
        for price in found.prices:
            click.echo(f"  {price.label} : {price.monthly_eur:.2f} € ({price.source}, {price.date.isoformat()})")
    counts = found.counts
    click.echo(f"Usages : {counts[ON]} allumés, {counts[WAITING]} sans données, {counts[OFF]} éteints")
    for module in found.modules:
        if module.state == WAITING:
            click.echo(f"  {module.id} {module.title} : s’allume avec {', '.join(module.lacking)}")

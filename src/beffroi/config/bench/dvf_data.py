"""Sales that did not happen, in the columns of geo-dvf: as many as asked, the same for the same number."""

from __future__ import annotations

from pathlib import Path

from beffroi.lake import sql

# In the order of https://files.data.gouv.fr/geo-dvf/latest/csv/ (2024), which writes its empty cells empty.
_COLUMNS = {
    "id_mutation": "'2024-' || (n // 2 + 1)",
    "date_mutation": "strftime(DATE '2020-01-01' + CAST(a % 1826 AS INTEGER), '%Y-%m-%d')",
    "numero_disposition": "'000001'",
    "nature_mutation": "CASE WHEN b % 20 = 0 THEN 'Vente en l''état futur d''achèvement' ELSE 'Vente' END",
    "valeur_fonciere": "CASE WHEN b % 97 = 0 THEN NULL ELSE 60000 + a % 640000 END",
    "adresse_numero": "1 + b % 180",
    "adresse_suffixe": "CASE WHEN b % 31 = 0 THEN 'B' END",
    "adresse_nom_voie": "'RUE DU MODELE ' || (a % 4000)",
    "adresse_code_voie": "lpad(CAST(a % 4000 AS VARCHAR), 4, '0')",
    "code_postal": "CAST(10000 + 1000 * (b % 85) + 10 * (a % 40) AS VARCHAR)",
    "code_commune": "lpad(CAST(1 + b % 85 AS VARCHAR), 2, '0') || lpad(CAST(1 + a % 400 AS VARCHAR), 3, '0')",
    "nom_commune": "'Commune ' || (b % 85) || '-' || (a % 400)",
    "code_departement": "lpad(CAST(1 + b % 85 AS VARCHAR), 2, '0')",
    "id_parcelle": "lpad(CAST(1 + b % 85 AS VARCHAR), 2, '0') || '001000AB' || lpad(CAST(a % 9999 AS VARCHAR), 4, '0')",
    "nombre_lots": "b % 3",
    "code_type_local": "1 + b % 4",
    "type_local": "['Maison', 'Appartement', 'Dépendance', 'Local industriel. commercial ou assimilé'][1 + b % 4]",
    "surface_reelle_bati": "CASE WHEN b % 4 = 2 THEN NULL ELSE 18 + a % 180 END",
    "nombre_pieces_principales": "CASE WHEN b % 4 < 2 THEN 1 + a % 7 ELSE 0 END",
    "code_nature_culture": "CASE WHEN b % 4 = 0 THEN 'S' END",
    "nature_culture": "CASE WHEN b % 4 = 0 THEN 'sols' END",
    "surface_terrain": "CASE WHEN b % 4 = 0 THEN 80 + a % 2000 END",
    "longitude": "round(-1 + (a % 700000) / 100000.0, 6)",
    "latitude": "round(43 + (b % 700000) / 100000.0, 6)",
}


def write_sales(target: Path, count: int) -> None:
    """Write `count` rows of sales as CSV."""
    told = ", ".join(f"{value} AS {key}" for key, value in _COLUMNS.items())
    con = sql.connect(threads=2)
    try:
        con.execute(
            f"COPY (SELECT {told} FROM (SELECT range AS n, CAST(hash(range) % 1000000007 AS BIGINT) AS a, "  # noqa: S608 - ours
            f"CAST(hash(range + 7) % 1000000009 AS BIGINT) AS b FROM range({int(count)}))) "
            f"TO {sql.literal(str(target))} (FORMAT csv, HEADER)"
        )
    finally:
        con.close()

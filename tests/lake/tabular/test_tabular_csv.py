"""Delimited text as French publishers make it: what is found, on what evidence, and what is refused."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path

import duckdb
import pytest

from beffroi.lake.connectors import csv as reader
from beffroi.lake.connectors import registry
from beffroi.lake.reading import LINE, ColumnType, Reading, ReadOptions, Unreadable

Read = Callable[..., Reading]


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@pytest.fixture
def read(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> Read:
    def _read(content: str | bytes, *, name: str = "essai.csv", **options: object) -> Reading:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        (reading,) = registry.read(path, ReadOptions(**options), con)  # type: ignore[arg-type]
        return reading

    return _read


def types(reading: Reading) -> dict[str, str]:
    return {column.key: column.type.value for column in reading.columns}


def values(reading: Reading, key: str) -> list[object]:
    rows = reading.con.execute(f'SELECT "{key}" FROM {reading.table} ORDER BY {LINE}').fetchall()
    return [value for (value,) in rows]


def evidence(reading: Reading, subject: str) -> list[str]:
    return [found.value for found in reading.evidences if found.subject == subject]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


ACCENTED = "nom;quartier\nélan;Près d'Arènes\nforêt;Hôpitaux-Facultés\n"


@pytest.mark.parametrize(
    ("codec", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp1252", "cp1252"),
        ("mac_roman", "mac_roman"),
        ("cp850", "cp850"),
    ],
)
def test_the_encoding_is_found_and_told(read: Read, codec: str, found: str) -> None:
    reading = read(ACCENTED.encode(codec))
    assert evidence(reading, "encoding") == [found]
    assert values(reading, "nom") == ["élan", "forêt"]
    assert values(reading, "quartier") == ["Près d'Arènes", "Hôpitaux-Facultés"]


def test_a_few_windows_bytes_in_utf8_do_not_change_the_rest(read: Read) -> None:
    content = ("nom;n\n" + "été;1\n" * 30).encode() + "forêt;2\n".encode("cp1252")
    reading = read(content)
    assert evidence(reading, "encoding") == ["utf-8+cp1252"]
    assert values(reading, "nom")[-2:] == ["été", "forêt"]


@pytest.mark.parametrize(
    ("end", "found"),
    [
        (b"", "utf-8"),
        ("\u00e9".encode("cp1252"), "utf-8+cp1252"),
        (b"\xe2\x82", "utf-8+cp1252"),
        ("\ufffd".encode(), "utf-8+cp1252"),
    ],
)
def test_a_fault_is_found_wherever_it_is(read: Read, end: bytes, found: str) -> None:
    # More than is decoded at once; a letter of two octets is cut.
    reading = read(b"nom;n\na" + ("\u00e9" * 99 + ";1\n").encode() * 700 + b"fin" + end + b";2\n")
    assert evidence(reading, "encoding") == [found]
    assert len(values(reading, "n")) == 701


def test_text_encoded_twice_is_mended(read: Read) -> None:
    twice = ACCENTED.encode().decode("cp1252").encode()
    assert values(read(twice), "nom") == ["élan", "forêt"]


def test_text_converted_as_dos_is_mended(read: Read) -> None:
    mangled = ACCENTED.encode("cp1252").decode("cp850").encode("cp1252")
    assert values(read(mangled), "quartier") == ["Près d'Arènes", "Hôpitaux-Facultés"]


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
def test_the_separator_is_the_one_that_cuts_evenly(read: Read, separator: str) -> None:
    rows = [("a", "b", "c"), ('"1,5"', '"x;y"', "z"), ('"2,5"', '"u|v"', "w")]
    reading = read("\n".join(separator.join(row) for row in rows))
    assert evidence(reading, "separator") == [separator]
    assert values(reading, "a") == [1.5, 2.5]


@pytest.mark.parametrize(
    ("cells", "expected", "kind"),
    [
        (["1", "-2", "+3"], [1, -2, 3], "integer"),
        (["1,5", "2", ",25"], [1.5, 2.0, 0.25], "number"),
        (["1.5", "2", "1e3"], [1.5, 2.0, 1000.0], "number"),
        (["1 063 850,00", "200,00"], [1063850.0, 200.0], "number"),
        (["34\u00a0000", "1\u202f200"], [34000, 1200], "integer"),
        (["1.234,56", "12,3"], [1234.56, 12.3], "number"),
        (["12 %", "3,5 %"], [12.0, 3.5], "number"),
        (["5,2 ha", "3 ha"], [5.2, 3.0], "number"),
        (["31/12/2019", "1/2/2020"], [date(2019, 12, 31), date(2020, 2, 1)], "date"),
        (["12/31/2019", "01/02/2020"], [date(2019, 12, 31), date(2020, 1, 2)], "date"),
        (["2019-12-31", "2020-02-01"], [date(2019, 12, 31), date(2020, 2, 1)], "date"),
        (["31 décembre 2019", "1er février 2020"], [date(2019, 12, 31), date(2020, 2, 1)], "date"),
        (["01/01/08", "31/12/45"], [date(2008, 1, 1), date(1945, 12, 31)], "date"),
        (["14/09/2010 14:28", "1/2/2010 9:05"], [at("2010-09-14 14:28"), at("2010-02-01 09:05")], "datetime"),
        (["2025-12-28T21:57:00+02:00", "2025-12-28T21:57:00Z"],
         [at("2025-12-28 19:57"), at("2025-12-28 21:57")], "datetime"),
        (["21:57", "9h05"], [time(21, 57), time(9, 5)], "time"),
        (["Oui", "non"], [True, False], "boolean"),
        (["O", "N"], [True, False], "boolean"),
        (["VRAI", "FAUX"], [True, False], "boolean"),
        (["25:10:00", "26:00:00"], ["25:10:00", "26:00:00"], "text"),
        (["01004", "34172"], ["01004", "34172"], "text"),
        (["0467022160", "0612345678"], ["0467022160", "0612345678"], "text"),
        (["12", "12 bis"], ["12", "12 bis"], "text"),
        (["12345678901234567890", "1"], ["12345678901234567890", "1"], "text"),
    ],
)  # fmt: skip
def test_values_take_their_type(read: Read, cells: list[str], expected: list[object], kind: str) -> None:
    lines = ["libelle;valeur", *(f'x{number};"{cell}"' for number, cell in enumerate(cells))]
    reading = read("\n".join(lines))
    assert types(reading)["valeur"] == kind
    assert values(reading, "valeur") == expected


def test_units_behind_numbers_become_the_unit_of_the_column(read: Read) -> None:
    reading = read("parc;surface\nA;5,2 ha\nB;3 ha\n")
    assert [column.unit for column in reading.columns] == [None, "ha"]


@pytest.mark.parametrize(
    ("title", "cells", "kind"),
    [
        ("date_fin", ["20191231", "20200101"], "date"),
        ("numero", ["20191231", "20200101"], "integer"),
        ("est_ouvert", ["1", "0"], "boolean"),
        ("places", ["1", "0"], "integer"),
        ("Code commune", ["34172", "34057"], "text"),
        ("SIRET", ["21340172201787", "21340057700013"], "text"),
        ("Code postal", ["34000", "34070"], "text"),
        ("annee", ["2013", "2014"], "integer"),
    ],
)
def test_titles_decide_what_values_alone_cannot(read: Read, title: str, cells: list[str], kind: str) -> None:
    reading = read("\n".join([f"nom;{title}", *(f"x;{cell}" for cell in cells)]))
    assert reading.columns[1].type.value == kind


def test_a_dbase_header_gives_titles_and_types(read: Read) -> None:
    reading = read("ID_ARC,N,10,0;VOI_NOM,C,80;LEN,N,19,11;DATE_REC,D\n1;Rue Biscay;109,072;01/01/08\n2;012;3;\n")
    assert types(reading) == {"id_arc": "integer", "voi_nom": "text", "len": "number", "date_rec": "date"}
    assert values(reading, "len") == [109.072, 3.0]


def test_a_dbase_header_cut_at_its_own_commas_is_put_back(read: Read) -> None:
    reading = read('NOM,C,254,AGE,N,5,0\n"Chêne",12\n"Orme",30\n')
    assert types(reading) == {"nom": "text", "age": "integer"}


def test_title_lines_above_the_header_become_title_and_description(read: Read) -> None:
    reading = read("Naissances domiciliées;;\nDonnées par IRIS;;\n;;\niris;nom;total\n0101;Centre;12\n0102;Gares;7\n")
    assert reading.title == "Naissances domiciliées"
    assert reading.description == "Données par IRIS"
    assert types(reading) == {"iris": "text", "nom": "text", "total": "integer"}
    assert values(reading, LINE) == [5, 6]


def test_a_second_header_of_labels_becomes_descriptions(read: Read) -> None:
    reading = read(
        "REG;A;B;C\nCode région;Nombre d’allocataires;Dont familles seules;Nombre d’enfants\n91;778;60;13\n91;12;1;4\n"
    )
    assert [column.description for column in reading.columns][1] == "Nombre d’allocataires"
    assert reading.rows_read == 2


def test_columns_without_header_are_numbered(read: Read) -> None:
    reading = read("Valeur observée par semaine;\n;\n30/05/2011;4,24\n06/06/2011;4,91\n")
    assert [column.key for column in reading.columns] == ["colonne_1", "colonne_2"]
    assert reading.title == "Valeur observée par semaine"
    assert reading.period == ("2011-05-30", "2011-06-06")


def test_years_may_be_titles(read: Read) -> None:
    reading = read("acte;2012;2013\nNaissance;736;674\nMariage;35;30\n")
    assert [column.title for column in reading.columns] == ["acte", "2012", "2013"]


def test_blank_columns_and_rows_are_left_out(read: Read) -> None:
    reading = read("a;b;;\n1;2;;\n;;;\n3;4;;\n\n")
    assert [column.key for column in reading.columns] == ["a", "b"]
    assert (reading.rows_read, values(reading, LINE)) == (2, [2, 4])


def test_keys_are_unique_and_plain(read: Read) -> None:
    reading = read("Nom;nom;N° d’école;2013;geometry;select\na;b;1;2;c;d\n")
    assert [column.key for column in reading.columns] == ["nom", "nom_2", "n_d_ecole", "c_2013", "geometry_2", "select"]


def test_rejected_rows_keep_their_physical_line(read: Read) -> None:
    reading = read('a;b;c\n1;"deux\nlignes";x\n2;y;z\n3;y;z;trop;long\n4;y;z\n')
    assert values(reading, LINE) == [2, 4, 6]
    assert [(reject.line, reject.excerpt) for reject in reading.rejects.rows] == [(5, "3 | y | z | trop | long")]
    assert reading.rows_read == 4


def test_a_quote_that_never_closes_loses_no_other_row(read: Read) -> None:
    rows = "".join(f"{number};écran 15;x\n" for number in range(50))
    reading = read('n;objet;c\n900;"écran 17;x\n' + rows)
    assert reading.rows_read == 51
    assert values(reading, "n")[:2] == [900, 0]


def test_a_record_broken_by_an_end_of_line_is_joined(read: Read) -> None:
    reading = read("a;b;c;d\n1;x;un texte\ncoupé;z\n2;x;y;z\n")
    assert values(reading, "c") == ["un texte coupé", "y"]


def test_a_note_below_the_table_is_not_a_row(read: Read) -> None:
    reading = read("mois;a;b\nMai;1;2\nJuin;3;4\nJuillet;;\n;;\nla recherche s’arrête le 22;;\n")
    assert values(reading, "mois") == ["Mai", "Juin", "Juillet"]
    assert (reading.rows_read, reading.rejects.total, reading.rejects.rows[0].line) == (4, 1, 6)


def test_marks_of_absence_are_null_in_numbers_and_text_in_text(read: Read) -> None:
    reading = read("iris;revenu;note\n0101;12;s\n0102;s;NA\n0103;nd;NULL\n0104;-;rien\n0105;7,5;-\n")
    assert values(reading, "revenu") == [12.0, None, None, None, 7.5]
    assert values(reading, "note") == ["s", "NA", None, "rien", "-"]


def test_one_word_among_numbers_keeps_the_column_as_text(read: Read) -> None:
    rows = "".join(f"{number};{number}\n" for number in range(300))
    assert types(read("n;v\n" + rows + "300;12 bis\n"))["v"] == "text"


def test_noise_under_two_percent_is_blanked_and_told(read: Read) -> None:
    rows = "".join(f"{number};{number}\n" for number in range(300))
    reading = read("n;v\n" + rows + "300;?\n")
    assert (types(reading)["v"], values(reading, "v")[-1], reading.rows_read) == ("integer", None, 301)
    assert "1 valeur(s) illisible(s)" in str([str(found.why) for found in reading.evidences])


def test_options_override_detection(read: Read) -> None:
    reading = read(
        "bruit\nCode;Valeur\n1;2,5\n",
        header_line=2,
        separator=";",
        encoding="cp1252",
        types={"Code": ColumnType.TEXT},
        rename={"Valeur": "Mesure en dB"},
    )
    assert types(reading) == {"code": "text", "mesure_en_db": "number"}


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "vide.csv", "vide"),
        (b"\n \n", "blanc.csv", "vide"),
        (b"%PDF-1.4 ...", "carte.csv", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "photo.csv", "PNG"),
        (b"<html><body>Erreur 404</body></html>", "donnees.csv", "page web"),
        (bytes(range(32)) * 40, "binaire.csv", "octets de contrôle"),
        (b"\xd0\xcf\x11\xe0" + b"\x00" * 600, "abime.xls", "abîmé"),
        (b"PK\x03\x04abc", "abime.xlsx", "abîmée"),
        (
            b"Bonjour a tous les habitants\nvoici un texte de plusieurs mots\net puis la fin du texte\n",
            "mot.txt",
            "texte",
        ),
    ],
)
def test_what_is_no_table_is_refused_with_a_remedy(read: Read, content: bytes, name: str, said: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        read(content, name=name)
    assert said in str(refusal.value)
    assert refusal.value.remedy.template
    assert refusal.value.where.startswith(name)


def test_a_million_columns_are_refused(read: Read) -> None:
    line = ";".join("x" for _ in range(1_000_000))
    with pytest.raises(Unreadable) as refusal:
        read(f"{line}\n{line}\n")
    assert "la limite est de 2000" in str(refusal.value)


def test_the_content_decides_before_the_extension(read: Read) -> None:
    reading = read("a;b\n1;2\n", name="tableau.xls")
    assert evidence(reading, "format") == ["csv"]


def test_formulas_are_kept_as_text(read: Read) -> None:
    assert values(read("a;b\n=cmd|' /C calc'!A0;1\n@SUM(1);2\n"), "a") == ["=cmd|' /C calc'!A0", "@SUM(1)"]


@pytest.mark.parametrize(
    ("ends", "encoding"), [(("\n",), "cp1252"), (("\n",), "utf-8"), (("\r\n",), "utf-8"), (("\n", "\r\n"), "utf-8")]
)
def test_both_ways_of_reading_give_the_same_table(
    tmp_path: Path,
    con: duckdb.DuckDBPyConnection,
    monkeypatch: pytest.MonkeyPatch,
    ends: tuple[str, ...],
    encoding: str,
) -> None:
    rows = [f'{n};"rue ""{n}"" ; été";{n},5;{n % 28 + 1:02}/03/2020;{n:05}' for n in range(1, 4000)]
    path = tmp_path / "gros.csv"
    lines = ["n;nom;valeur;jour;code", *rows, ";;;;"]
    text = "".join(line + end for line, end in zip(lines, itertools.cycle(ends), strict=False))
    path.write_text(text, encoding=encoding, newline="")
    slow = reader.read(path, ReadOptions(), con)[0]
    monkeypatch.setattr(reader, "FAST_FROM_BYTES", 1)
    fast = reader.read(path, ReadOptions(), con)[0]
    assert slow.columns == fast.columns
    assert slow.rows_read == fast.rows_read == 3999
    both = "SELECT * FROM {} ORDER BY ALL"
    assert con.execute(both.format(slow.table)).fetchall() == con.execute(both.format(fast.table)).fetchall()


def test_lines_of_any_length_are_read_in_parallel(
    tmp_path: Path, con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "FAST_FROM_BYTES", 1)
    monkeypatch.setattr(reader, "_LEAST_LINE", 100)
    title, story = "t" * 5_000, "récit " * 2_000
    rows = "".join(f"{n};{story if n == 700 else 'court'}\n" for n in range(1_000))
    path = tmp_path / "longues.csv"
    path.write_text(f"n;{title}\n{rows}", encoding="utf-8")
    read = reader.read(path, ReadOptions(), con)[0]
    longest = con.execute(f"SELECT count(*), max(length({read.columns[1].key})) FROM {read.table}").fetchone()
    assert longest == (1_000, len(story.strip()))

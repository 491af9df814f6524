"""What can be done with a procedure. Every change and its event are one transaction; see docs/rooms/procedures.md."""

from __future__ import annotations

from beffroi.serve.procedures.calls import ask_need as ask_need
from beffroi.serve.procedures.certificates import withdraw_certificate as withdraw_certificate
from beffroi.serve.procedures.desk import OTHER_PIECE as OTHER_PIECE
from beffroi.serve.procedures.desk import ask_piece as ask_piece
from beffroi.serve.procedures.desk import decide as decide
from beffroi.serve.procedures.desk import edit_answers as edit_answers
from beffroi.serve.procedures.desk import record_findings as record_findings
from beffroi.serve.procedures.desk import supply_piece as supply_piece
from beffroi.serve.procedures.drafts import LIFE as LIFE
from beffroi.serve.procedures.drafts import begin_draft as begin_draft
from beffroi.serve.procedures.drafts import drop_draft as drop_draft
from beffroi.serve.procedures.drafts import keep_step as keep_step
from beffroi.serve.procedures.intake import file_request as file_request
from beffroi.serve.procedures.intake import send_draft as send_draft
from beffroi.serve.procedures.kept import forget_piece as forget_piece
from beffroi.serve.procedures.kept import reused_files as reused_files
from beffroi.serve.procedures.passages import note_by_link as note_by_link
from beffroi.serve.procedures.passages import note_passage as note_passage
from beffroi.serve.procedures.register import leave_register as leave_register
from beffroi.serve.procedures.register import withdraw_request as withdraw_request
from beffroi.serve.procedures.waiting import answer_offer as answer_offer
from beffroi.serve.procedures.waiting import offer_place as offer_place

"""What can be done to a request. Every change and its event are one transaction; see docs/rooms/cases.md."""

from __future__ import annotations

from beffroi.serve.cases.holding import held_files as held_files
from beffroi.serve.cases.holding import hold_files as hold_files
from beffroi.serve.cases.intake import Opened as Opened
from beffroi.serve.cases.intake import PreparedFile as PreparedFile
from beffroi.serve.cases.intake import already_sent as already_sent
from beffroi.serve.cases.intake import follow_case as follow_case
from beffroi.serve.cases.intake import mandate_of as mandate_of
from beffroi.serve.cases.intake import open_case as open_case
from beffroi.serve.cases.intake import prepare_files as prepare_files
from beffroi.serve.cases.life import REOPEN_DAYS as REOPEN_DAYS
from beffroi.serve.cases.life import accept_case as accept_case
from beffroi.serve.cases.life import assign_case as assign_case
from beffroi.serve.cases.life import close_case as close_case
from beffroi.serve.cases.life import hold_case as hold_case
from beffroi.serve.cases.life import join_cases as join_cases
from beffroi.serve.cases.life import part_case as part_case
from beffroi.serve.cases.life import reclassify_case as reclassify_case
from beffroi.serve.cases.life import release_case as release_case
from beffroi.serve.cases.life import reopen_case as reopen_case
from beffroi.serve.cases.life import require_worker as require_worker
from beffroi.serve.cases.life import route_case as route_case
from beffroi.serve.cases.life import schedule_case as schedule_case
from beffroi.serve.cases.life import withdraw_case as withdraw_case
from beffroi.serve.cases.push.devices import end_device as end_device
from beffroi.serve.cases.push.devices import end_topic as end_topic
from beffroi.serve.cases.push.devices import end_wish as end_wish
from beffroi.serve.cases.push.devices import renew_device as renew_device
from beffroi.serve.cases.push.devices import subscribe_device as subscribe_device
from beffroi.serve.cases.threads import add_note as add_note
from beffroi.serve.cases.threads import attach_files as attach_files
from beffroi.serve.cases.threads import drop_attachments as drop_attachments
from beffroi.serve.cases.threads import set_told as set_told
from beffroi.serve.cases.threads import write_to_parties as write_to_parties
from beffroi.serve.cases.threads import write_to_service as write_to_service
from beffroi.serve.cases.webhooks import add_webhook as add_webhook
from beffroi.serve.cases.webhooks import remove_webhook as remove_webhook
from beffroi.serve.cases.webhooks import wake_webhook as wake_webhook

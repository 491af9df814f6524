"""What one may do about bills: the doors of this room."""

from __future__ import annotations

from beffroi.serve.payments.billing import cancel_bill as cancel_bill
from beffroi.serve.payments.billing import issue_month as issue_month
from beffroi.serve.payments.deposits import take_deposit as take_deposit
from beffroi.serve.payments.deposits import type_units as type_units
from beffroi.serve.payments.families import link_by_agent as link_by_agent
from beffroi.serve.payments.families import link_by_code as link_by_code
from beffroi.serve.payments.families import save_family as save_family
from beffroi.serve.payments.families import save_register as save_register
from beffroi.serve.payments.families import unlink_members as unlink_members
from beffroi.serve.payments.gateways.sandbox import press_sandbox as press_sandbox
from beffroi.serve.payments.gateways.sandbox import sandbox_operation as sandbox_operation
from beffroi.serve.payments.paying import attempt_of as attempt_of
from beffroi.serve.payments.paying import attempt_of_operation as attempt_of_operation
from beffroi.serve.payments.paying import decide_held as decide_held
from beffroi.serve.payments.paying import gateway_page as gateway_page
from beffroi.serve.payments.paying import notify as notify
from beffroi.serve.payments.paying import record_payment as record_payment
from beffroi.serve.payments.paying import resolve as resolve
from beffroi.serve.payments.paying import reverse_payment as reverse_payment
from beffroi.serve.payments.paying import start_payment as start_payment
from beffroi.serve.payments.refunds import ask_refund as ask_refund
from beffroi.serve.payments.refunds import decide_refund as decide_refund
from beffroi.serve.payments.statements import compare_statement as compare_statement
from beffroi.serve.payments.statements import count_line as count_line

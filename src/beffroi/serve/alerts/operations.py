"""What can be done with alerts. Every change and its event are one transaction; see docs/rooms/alerts.md."""

from __future__ import annotations

from beffroi.serve.alerts.following import confirm_wish as confirm_wish
from beffroi.serve.alerts.following import device_for_warnings as device_for_warnings
from beffroi.serve.alerts.following import end_following as end_following
from beffroi.serve.alerts.following import end_wish as end_wish
from beffroi.serve.alerts.following import follow as follow
from beffroi.serve.alerts.following import set_quiet as set_quiet
from beffroi.serve.alerts.projects import close_project as close_project
from beffroi.serve.alerts.projects import open_project as open_project
from beffroi.serve.alerts.writing import approve_alert as approve_alert
from beffroi.serve.alerts.writing import change_alert as change_alert
from beffroi.serve.alerts.writing import discard_alert as discard_alert
from beffroi.serve.alerts.writing import end_alert as end_alert
from beffroi.serve.alerts.writing import send_alert as send_alert
from beffroi.serve.alerts.writing import take_back as take_back
from beffroi.serve.alerts.writing import write_alert as write_alert

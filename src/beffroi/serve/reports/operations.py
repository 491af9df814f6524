"""What can be done with reports, beside the life that `cases/operations` gives them; see docs/rooms/reports.md."""

from __future__ import annotations

from beffroi.serve.reports.abuse import new_challenge as new_challenge
from beffroi.serve.reports.abuse import sender_of as sender_of
from beffroi.serve.reports.intake import Submission as Submission
from beffroi.serve.reports.intake import file_report as file_report
from beffroi.serve.reports.triage import BulkLine as BulkLine
from beffroi.serve.reports.triage import close_report as close_report
from beffroi.serve.reports.triage import follow_report as follow_report
from beffroi.serve.reports.triage import for_each as for_each
from beffroi.serve.reports.triage import merge_reports as merge_reports
from beffroi.serve.reports.triage import raise_alert as raise_alert
from beffroi.serve.reports.triage import reclassify_report as reclassify_report
from beffroi.serve.reports.triage import route_report as route_report
from beffroi.serve.reports.triage import separate_report as separate_report

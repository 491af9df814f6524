"""What can be done with reports, beside the life that `cases/operations` gives them; see docs/rooms/reports.md."""

from __future__ import annotations

from beffroi.serve.reports.abuse import new_challenge as new_challenge
from beffroi.serve.reports.abuse import sender_of as sender_of
from beffroi.serve.reports.desk import delete_filter as delete_filter
from beffroi.serve.reports.desk import delete_template as delete_template
from beffroi.serve.reports.desk import save_filter as save_filter
from beffroi.serve.reports.desk import save_template as save_template
from beffroi.serve.reports.intake import Submission as Submission
from beffroi.serve.reports.intake import file_report as file_report
from beffroi.serve.reports.obstacles import confirm_obstacle as confirm_obstacle
from beffroi.serve.reports.obstacles import forget_obstacle_rule as forget_obstacle_rule
from beffroi.serve.reports.obstacles import name_ambassador as name_ambassador
from beffroi.serve.reports.obstacles import set_obstacle_rule as set_obstacle_rule
from beffroi.serve.reports.orders import cancel_work as cancel_work
from beffroi.serve.reports.orders import finish_work as finish_work
from beffroi.serve.reports.orders import order_directly as order_directly
from beffroi.serve.reports.orders import order_work as order_work
from beffroi.serve.reports.orders import plan_work as plan_work
from beffroi.serve.reports.subscriptions import confirm_subscription as confirm_subscription
from beffroi.serve.reports.subscriptions import device_for_alerts as device_for_alerts
from beffroi.serve.reports.subscriptions import end_all_subscriptions as end_all_subscriptions
from beffroi.serve.reports.subscriptions import end_subscription as end_subscription
from beffroi.serve.reports.subscriptions import renew_subscriptions as renew_subscriptions
from beffroi.serve.reports.subscriptions import set_rhythm as set_rhythm
from beffroi.serve.reports.subscriptions import subscribe as subscribe
from beffroi.serve.reports.triage import BulkLine as BulkLine
from beffroi.serve.reports.triage import close_report as close_report
from beffroi.serve.reports.triage import end_alerts as end_alerts
from beffroi.serve.reports.triage import follow_report as follow_report
from beffroi.serve.reports.triage import for_each as for_each
from beffroi.serve.reports.triage import merge_reports as merge_reports
from beffroi.serve.reports.triage import raise_alert as raise_alert
from beffroi.serve.reports.triage import reclassify_report as reclassify_report
from beffroi.serve.reports.triage import route_report as route_report
from beffroi.serve.reports.triage import separate_report as separate_report
from beffroi.serve.reports.visits import PlannedPlace as PlannedPlace
from beffroi.serve.reports.visits import add_contract as add_contract
from beffroi.serve.reports.visits import prove_visit as prove_visit

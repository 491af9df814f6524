"""The agents' side of reports: their queue, one report, work orders, visits, figures, and the assisted counter."""

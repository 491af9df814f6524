from __future__ import annotations

from django.apps import AppConfig


class BookingsConfig(AppConfig):
    name = "beffroi.serve.bookings"
    label = "bookings"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from beffroi.base.journal.tasks import every_day
        from beffroi.serve.bookings import engine, news, tasks, turns
        from beffroi.serve.bookings.definition import KIND
        from beffroi.serve.cases import events as cases
        from beffroi.serve.cases import life, mails

        engine.register()
        mails.FOLLOW_PAGES[KIND] = "portal:followed-booking"
        mails.OWN_WORDS[KIND] = news.words_of
        # An agent who corrects her mark opens the request again for an instant: the new mark is the news.
        mails.UNTOLD[KIND] = frozenset({cases.REOPENED})
        life.WITH_EACH_MOVE[KIND] = turns.follow_move
        every_day("bookings.reminders", tasks.remind, hour=9)
        every_day("bookings.daily", tasks.daily, hour=2)

from __future__ import annotations

from django.apps import AppConfig


class BookingsConfig(AppConfig):
    name = "beffroi.serve.bookings"
    label = "bookings"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from beffroi.base.journal.tasks import every_day, every_seconds
        from beffroi.serve.bookings import engine, news, tasks, turns
        from beffroi.serve.bookings.definition import KIND
        from beffroi.serve.bookings.hours import changing
        from beffroi.serve.bookings.hours import news as hours_news
        from beffroi.serve.bookings.hours import tasks as hours_tasks
        from beffroi.serve.bookings.hours.definition import KIND as HOURS
        from beffroi.serve.cases import events as cases
        from beffroi.serve.cases import life, mails

        engine.register()
        mails.FOLLOW_PAGES[KIND] = "portal:followed-booking"
        mails.OWN_WORDS[KIND] = news.words_of
        # An agent who corrects her mark opens the request again for an instant: the new mark is the news.
        mails.UNTOLD[KIND] = frozenset({cases.REOPENED})
        life.WITH_EACH_MOVE[KIND] = turns.follow_move
        mails.FOLLOW_PAGES[HOURS] = "portal:followed-slot"
        mails.OWN_WORDS[HOURS] = hours_news.words_of
        mails.NO_NEWS[HOURS] = hours_news.is_no_news
        life.WITH_EACH_MOVE[HOURS] = changing.follow_move
        every_seconds("bookings.hours", hours_tasks.often, seconds=hours_tasks.EVERY_S)
        every_day("bookings.hours.daily", hours_tasks.daily, hour=2)
        every_day("bookings.reminders", tasks.remind, hour=9)
        every_day("bookings.daily", tasks.daily, hour=2)

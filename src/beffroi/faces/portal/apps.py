from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "beffroi.faces.portal"
    label = "portal"

    def ready(self) -> None:
        from beffroi.faces.portal import engine
        from beffroi.faces.portal.alerts.pages import OVERLAY as ALERTS
        from beffroi.faces.portal.cameras import OVERLAY as CAMERAS
        from beffroi.faces.portal.charging import OVERLAY as CHARGING
        from beffroi.faces.portal.lighting.pages import OVERLAY as LIGHTING
        from beffroi.faces.portal.live.pages import OVERLAY as SENSORS
        from beffroi.faces.portal.obstacles import OVERLAY as OBSTACLES
        from beffroi.faces.portal.offers.pages import OVERLAY as OFFERS
        from beffroi.faces.portal.reports.listing import OVERLAY
        from beffroi.faces.portal.trade.pages import OVERLAY as TRADE
        from beffroi.faces.portal.transit.layers import LINES, VEHICLES
        from beffroi.faces.portal.underground.pages import OVERLAY as UNDERGROUND
        from beffroi.faces.portal.unfit.pages import OVERLAY as UNFIT
        from beffroi.faces.shell.overlays import register

        engine.register()
        register(OVERLAY)
        register(ALERTS)
        register(OBSTACLES)
        register(OFFERS)
        register(CAMERAS)
        register(CHARGING)
        register(LIGHTING)
        register(UNDERGROUND)
        register(UNFIT)
        register(TRADE)
        register(SENSORS)
        register(LINES)
        register(VEHICLES)

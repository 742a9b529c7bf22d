"""The routes without a key: what recipients and providers call."""

from typing import Final

from litestar.handlers import HTTPRouteHandler

from angarium.gateway.callbacks import take_callback
from angarium.gateway.links import ask_unsubscribe, follow_click, open_pixel, unsubscribe
from angarium.gateway.web_push import WEB_PUSH_HANDLERS

PUBLIC_HANDLERS: Final[tuple[HTTPRouteHandler, ...]] = (
    open_pixel,
    follow_click,
    ask_unsubscribe,
    unsubscribe,
    take_callback,
    *WEB_PUSH_HANDLERS,
)

"""What one person does in the shop, written down as an SDK would send it."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

import msgspec

from angarium.core.events.times import MINUTE, SECOND, format_instant
from angarium.gateway.demo.catalogue import PAGES, SEARCHES, Product
from angarium.gateway.demo.people import Person

SHOP: Final = "https://shop.example.com"
LIBRARY: Final = {"name": "analytics.js", "version": "next-1.70.0"}


class Said(msgspec.Struct, frozen=True):
    """One message, and when it was said (ms). faulty: the gateway ought to refuse all of it."""

    at: int
    body: Mapping[str, Any]
    faulty: bool = False

    @property
    def event(self) -> str:
        """The name under which it is counted; "" for what is no event, or not stored."""
        kind = self.body.get("type")
        if self.faulty or kind not in ("track", "page"):
            return ""
        return str(self.body["event"]) if kind == "track" else "Page Viewed"


class Diary:
    """One person's doings, in the order in which they are told here.

    Times are of the event, in ms. Who has logged in says so in every later message, until the end.
    """

    def __init__(self, chance: Random, person: Person, *, known: bool = False) -> None:
        self.person = person
        self.said: list[Said] = []
        self._chance = chance
        self._browser = person.browsers[0]
        self._known = known

    def browse(self, at: int, browser: int, products: Sequence[Product]) -> int:
        """A visit that ends at a product; gives the time of its end."""
        self._browser = self.person.browsers[browser % len(self.person.browsers)]
        at = self._page(at, *self._chance.choice(PAGES))
        if self._chance.random() < 0.3:
            at = self._track(at, "Searched", {"query": self._chance.choice(SEARCHES)})
        for product in products:
            at = self._page(at, f"/product/{product.sku}", product.name(self.person.locale))
            at = self._track(at, "Product Viewed", _described(product, self.person.locale))
        return at

    def log_in(self, at: int, *, first: bool = False) -> int:
        """An account is opened or used: from here on the person is known."""
        self._known = True
        others = [name for name in self.person.browsers if name != self._browser]
        context = {"previousAnonymousIds": others} if others else {}
        self._say(at, {"type": "identify", "traits": self.person.traits}, context)
        name = "Signed Up" if first else "Logged In"
        return self._track(at + 2 * SECOND, name, {"method": "email"})

    def fill_cart(self, at: int, product: Product) -> int:
        """Put something into the cart."""
        return self._track(at, "AddToCart", {**_described(product, self.person.locale), "count": 1})

    def buy(self, at: int, order: str, products: Sequence[Product]) -> int:
        """Pay for these."""
        locale = self.person.locale
        items = [{"name": p.name(locale), "price": p.price, "count": 1} for p in products]
        properties = {
            "order": order,
            "amount": sum(product.price for product in products),
            "currency": "IRT",
            "items": items,
        }
        return self._track(at, "Purchase", properties)

    def opt_out(self, at: int) -> None:
        """Untick "send me emails" on the account's page."""
        self._say(at, {"type": "identify", "traits": {"email_opt_in": False}}, {})

    def _page(self, at: int, path: str, title: str) -> int:
        self._say(at, {"type": "page", "name": title, "properties": _address(path, title)}, {})
        return at + self._chance.randint(8, 90) * SECOND

    def _track(self, at: int, event: str, properties: Mapping[str, Any]) -> int:
        self._say(at, {"type": "track", "event": event, "properties": properties}, {})
        return at + self._chance.randint(5, 60) * SECOND

    def _say(self, at: int, body: Mapping[str, Any], context: Mapping[str, Any]) -> None:
        person = self.person
        self.said.append(
            Said(
                at,
                {
                    **body,
                    "messageId": f"ajs-next-{self._chance.getrandbits(96):024x}",
                    "anonymousId": self._browser,
                    **({"userId": person.user_id} if self._known else {}),
                    "timestamp": format_instant(at),
                    "context": {
                        "library": LIBRARY,
                        "locale": "fa-IR" if person.locale == "fa" else "en-GB",
                        "timezone": "Asia/Tehran",
                        **context,
                    },
                },
            )
        )


def pause(chance: Random) -> int:
    """Between putting something into the cart and paying for it, in ms."""
    return chance.randint(3, 25) * MINUTE


def _described(product: Product, locale: str) -> dict[str, Any]:
    return {
        "sku": product.sku,
        "name": product.name(locale),
        "category": product.category,
        "price": product.price,
    }


def _address(path: str, title: str) -> dict[str, str]:
    return {"path": path, "url": SHOP + path, "title": title}

"""What the demo's shop sells, and the names of those who buy there."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec


class Product(msgspec.Struct, frozen=True):
    """Something on the shelf; its price is in toman."""

    sku: str
    fa: str
    en: str
    category: str
    price: int

    def name(self, locale: str) -> str:
        """As the shop writes it in that language."""
        return self.en if locale == "en" else self.fa


PRODUCTS: Final[Sequence[Product]] = (
    Product("kl-01", "گلیم دستباف قشقایی", "Handwoven Qashqai kilim", "home", 4_850_000),
    Product("kl-02", "رومیزی قلمکار اصفهان", "Isfahan block-print tablecloth", "home", 780_000),
    Product("sf-01", "زعفران سرگل، ۵ گرم", "Saffron, 5 g", "food", 990_000),
    Product("ch-01", "چای بهارهٔ لاهیجان", "Lahijan spring tea", "food", 265_000),
    Product("ps-01", "پستهٔ اکبری، یک کیلو", "Akbari pistachios, 1 kg", "food", 1_380_000),
    Product("gl-01", "گلاب قمصر", "Rose water from Qamsar", "food", 145_000),
    Product("nb-01", "دفتر خط‌دار چرمی", "Leather notebook", "paper", 420_000),
    Product("pn-01", "خودنویس استیل", "Steel fountain pen", "paper", 860_000),
    Product("bk-01", "دیوان حافظ، چاپ نفیس", "The Divan of Hafez", "books", 690_000),
    Product("bk-02", "شاهنامه برای کودکان", "The Book of Kings for children", "books", 310_000),
    Product("sh-01", "کتانی روزمره", "Everyday sneakers", "clothes", 1_950_000),
    Product("cl-01", "شال پشمی کرمان", "Kerman wool scarf", "clothes", 1_240_000),
    Product("cl-02", "پیراهن نخی", "Cotton shirt", "clothes", 740_000),
    Product("pt-01", "کاسهٔ سفال لالجین", "Lalejin pottery bowl", "kitchen", 335_000),
    Product("cf-01", "قهوه‌جوش مسی", "Copper coffee pot", "kitchen", 1_120_000),
    Product("ht-01", "هدفون بی‌سیم", "Wireless headphones", "digital", 3_290_000),
)

FIRST_NAMES: Final[Mapping[str, Sequence[tuple[str, str]]]] = {
    "female": (
        ("سارا", "Sara"),
        ("مریم", "Maryam"),
        ("نگار", "Negar"),
        ("زهرا", "Zahra"),
        ("الهام", "Elham"),
        ("شیرین", "Shirin"),
        ("پریسا", "Parisa"),
        ("لیلا", "Leila"),
        ("یاسمن", "Yasaman"),
        ("فاطمه", "Fatemeh"),
        ("ترانه", "Taraneh"),
        ("آناهیتا", "Anahita"),
    ),
    "male": (
        ("علی", "Ali"),
        ("رضا", "Reza"),
        ("امیر", "Amir"),
        ("حسین", "Hossein"),
        ("کاوه", "Kaveh"),
        ("آرش", "Arash"),
        ("مهدی", "Mehdi"),
        ("سینا", "Sina"),
        ("بهرام", "Bahram"),
        ("نیما", "Nima"),
        ("فرهاد", "Farhad"),
        ("یونس", "Younes"),
    ),
}
"""By gender: in Persian, and as the same name is spelt in an address."""

LAST_NAMES: Final[Sequence[tuple[str, str]]] = (
    ("احمدی", "Ahmadi"),
    ("محمدی", "Mohammadi"),
    ("حسینی", "Hosseini"),
    ("کریمی", "Karimi"),
    ("رضایی", "Rezaei"),
    ("مرادی", "Moradi"),
    ("صادقی", "Sadeghi"),
    ("جعفری", "Jafari"),
    ("رستمی", "Rostami"),
    ("نوری", "Nouri"),
    ("بهرامی", "Bahrami"),
    ("شریفی", "Sharifi"),
    ("یزدانی", "Yazdani"),
    ("طاهری", "Taheri"),
    ("کاظمی", "Kazemi"),
    ("فرهادی", "Farhadi"),
)

FOREIGN_NAMES: Final[Sequence[tuple[str, str, str]]] = (
    ("Emma", "Martin", "female"),
    ("Jonas", "Weber", "male"),
    ("Priya", "Nair", "female"),
    ("Liam", "O'Brien", "male"),
    ("Chloé", "Dubois", "female"),
    ("Tomás", "García", "male"),
    ("Ingrid", "Larsen", "female"),
    ("Yuki", "Tanaka", "female"),
)
"""First name, last name, gender."""

CITIES: Final[Sequence[tuple[str, str, int]]] = (
    ("تهران", "Tehran", 40),
    ("مشهد", "Mashhad", 14),
    ("اصفهان", "Isfahan", 12),
    ("شیراز", "Shiraz", 10),
    ("تبریز", "Tabriz", 9),
    ("رشت", "Rasht", 5),
    ("یزد", "Yazd", 5),
    ("اهواز", "Ahvaz", 5),
)
"""In Persian, in English, and how many of a hundred customers live there."""

PAGES: Final[Sequence[tuple[str, str]]] = (
    ("/", "Home"),
    ("/new", "New arrivals"),
    ("/category/food", "Food"),
    ("/category/home", "Home and living"),
    ("/category/books", "Books"),
    ("/about", "About us"),
    ("/delivery", "Delivery"),
)

SEARCHES: Final[Sequence[str]] = ("زعفران", "کتاب کودک", "هدیه", "شال", "tea", "gift", "kilim")

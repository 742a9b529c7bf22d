"""Plugins as strangers write them, well and badly; test_manager.py loads them."""

"""What a plugin's process is given."""

from angarium.config.settings import Plugins as PluginsSettings
from angarium.gateway.isolation.home import allowed_environ, make_home


def test_only_harmless_variables_pass_and_those_that_an_operator_names() -> None:
    environ = {
        "PATH": "/bin",
        "LC_ALL": "C",
        "ANGARIUM_ADMIN_KEY": "k",
        "DATABASE_URL": "postgresql://",
        "HTTPS_PROXY": "http://proxy",
        "MALLOC_ARENA_MAX": "99",
    }

    seen = allowed_environ(environ, ["HTTPS_PROXY", "NOT_SET"])

    assert seen == {
        "PATH": "/bin",
        "LC_ALL": "C",
        "HTTPS_PROXY": "http://proxy",
        "PYTHONUNBUFFERED": "1",
        "MALLOC_ARENA_MAX": "2",
    }


def test_the_settings_are_the_limits() -> None:
    home = make_home(PluginsSettings(memory_mb=64, files=99, failures=2, aside_seconds=5), {})

    assert (home.memory_bytes, home.files) == (64 * 1024 * 1024, 99)
    assert (home.rules.failures, home.rules.aside_seconds) == (2, 5)

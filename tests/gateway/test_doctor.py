import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from angarium.config.load import Loaded, load
from angarium.core.bus.bus import Bus
from angarium.core.bus.embedded import EmbeddedServer
from angarium.core.store.campaigns import create_campaign, find_campaign, move
from angarium.core.store.keys import make_key, save_key
from angarium.core.store.open import open_store, sqlite_url
from angarium.core.store.paces import keep_pauses
from angarium.core.workers.clock import now
from angarium.gateway.doctor import Finding, examine
from angarium.gateway.first import prepare_store
from angarium.gateway.supervisor.connection import Connection, write_connection
from tests.counterparts.imap import make_maildir

Load = Callable[..., Loaded]


@pytest.fixture
def given(tmp_path: Path) -> Load:
    """Settings of a directory of its own, from TOML and variables."""

    def given(text: str = "", environ: Mapping[str, str] | None = None) -> Loaded:
        file = tmp_path / "angarium.toml"
        file.write_text(text)
        file.chmod(0o600)
        return load(file, {"ANGARIUM_DATA_DIR": str(tmp_path / "data"), **(environ or {})})

    (tmp_path / "data").mkdir()
    return given


async def found(loaded: Loaded) -> dict[str, list[Finding]]:
    findings: dict[str, list[Finding]] = {}
    for finding in await examine(loaded):
        findings.setdefault(finding.check, []).append(finding)
    return findings


async def problems(loaded: Loaded) -> list[tuple[str, str, str]]:
    return [
        (finding.check, finding.detail, finding.remedy)
        for finding in await examine(loaded)
        if finding.well is False
    ]


async def test_a_new_directory_has_no_problems_and_nothing_is_made_in_it(given: Load) -> None:
    loaded = given()

    findings = await found(loaded)

    assert await problems(loaded) == []
    assert "`angarium up` makes it" in findings["database"][0].detail
    assert "`angarium up` would run" in findings["broker"][0].detail
    assert "no provider is set" in findings["channels"][0].detail
    assert os.listdir(loaded.settings.data.dir) == []


async def test_a_prepared_instance_is_well(given: Load) -> None:
    loaded = given("[channels.email_console]\n")
    await prepare_store(loaded.settings, now())

    findings = await found(loaded)

    assert await problems(loaded) == []
    assert [finding.detail for finding in findings["keys"]] == [
        "1 admin keys in force",
        "1 write keys in force",
    ]
    assert findings["channels"][0].detail == "email_console delivers on email"


async def test_a_database_without_tables_asks_for_migrate(given: Load, tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "empty.db")
    store = await open_store(url)
    await store.close()

    [problem] = await problems(given(environ={"ANGARIUM_DATABASE_URL": url}))

    assert problem == ("database", "has no tables", "run `angarium migrate`")


async def test_a_newer_schema_asks_for_the_newer_program(given: Load) -> None:
    loaded = given()
    await prepare_store(loaded.settings, now())
    mine = await open_store(loaded.settings.database.url)
    async with mine.transaction() as tx:
        await tx.run("add_schema_version", version=9999, name="later")
    await mine.close()

    [(check, detail, remedy)] = await problems(loaded)

    assert (check, remedy) == ("database", "start the newer Angarium again")
    assert detail.startswith("schema 9999, this program's is ")


async def test_a_database_that_is_away_is_named_without_its_password(given: Load) -> None:
    loaded = given(environ={"ANGARIUM_DATABASE_URL": "postgresql://u:canary@127.0.0.1:1/x"})

    [(check, detail, remedy)] = await problems(loaded)

    assert check == "database"
    assert "canary" not in detail
    assert remedy == "start it, or correct database.url (ANGARIUM_DATABASE_URL)"


async def test_a_broker_that_is_away_is_named(given: Load) -> None:
    loaded = given(environ={"ANGARIUM_NATS_URL": "nats://canary@127.0.0.1:1"})

    [(check, detail, remedy)] = await problems(loaded)

    assert (check, remedy) == ("broker", "start it, or correct nats.url (ANGARIUM_NATS_URL)")
    assert "canary" not in detail


async def test_the_broker_of_a_running_instance_is_asked(given: Load, tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / "data")
    url = await server.start()
    try:
        bus = await Bus.connect(url, name="test")
        await bus.ensure_streams()
        await bus.close()
        write_connection(tmp_path / "data", Connection("http://127.0.0.1:1", url, {}))

        findings = await found(given())
    finally:
        await server.stop()

    assert findings["broker"] == [Finding("broker", True, "0 messages in EVENTS")]


async def test_a_key_of_each_kind_is_missing_until_there_is_one(given: Load) -> None:
    loaded = given()
    store = await open_store(loaded.settings.database.url)
    await store.migrate()
    async with store.transaction() as tx:
        await save_key(tx, "default", "admin", make_key("admin"), name="x", now=now())
    await store.close()

    [problem] = await problems(loaded)

    assert problem == (
        "keys", "0 write keys in force", "angarium keys create --kind write --name …"
    )  # fmt: skip


async def test_a_channel_that_an_active_campaign_uses_needs_a_provider(given: Load) -> None:
    loaded = given("[channels.email_console]\n")
    await prepare_store(loaded.settings, now())
    store = await open_store(loaded.settings.database.url)
    definition = (
        '{"name": "A", "send_at": {"trigger": {"event": "X"}},'
        ' "content": {"order": ["sms", "email"], "sms": {"text": "t"}, "email": {"text": "t"}}}'
    )
    async with store.transaction() as tx:
        await create_campaign(tx, "default", "cmp_a", "A", definition, now())
        draft = await find_campaign(tx, "default", "cmp_a")
        assert draft is not None
        await move(tx, "default", draft, "active", now())
    await store.close()

    [(check, detail, remedy)] = await problems(loaded)

    assert check == "campaigns"
    assert detail == "cmp_a sends on sms, which no provider serves (no_provider)"
    assert "sms_console" in remedy


@pytest.mark.parametrize(
    ("section", "detail"),
    [
        ("[channels.email_smtp]\nhots = 1\n", "channels.email_smtp.hots"),
        ("[channels.email_pigeon]\n", "no installed plugin has a provider of this name"),
    ],
)
async def test_a_section_that_its_provider_refuses_is_a_problem(
    given: Load, section: str, detail: str
) -> None:
    [(check, said, _)] = await problems(given(section))

    assert check == "channels"
    assert detail in said


APNS = """
[channels.push_second]
provider = "push_apns"
key_file = "{file}"
key_id = "ABC123DEFG"
team_id = "TEAM123456"
topic = "org.example.shop"
"""


async def test_a_file_that_cannot_be_read_is_a_problem_of_its_section(given: Load) -> None:
    [(check, detail, remedy)] = await problems(given(APNS.format(file="/nowhere/key.p8")))

    reason = "key_file: cannot be read (No such file or directory)"
    assert (check, detail) == ("channels", f"channels.push_second.{reason}")
    assert remedy == "correct it in the settings"


async def test_another_kind_of_file_is_a_problem(given: Load, tmp_path: Path) -> None:
    file = tmp_path / "account.json"
    file.write_text('{"private_key": "canary"}')
    section = f'[channels.push_fcm]\nservice_account_file = "{file}"\n'

    found = await problems(given(APNS.format(file=file) + section))

    assert [detail.partition(": must be")[0] for _, detail, _ in found] == [
        "channels.push_second.key_file",
        "channels.push_fcm.service_account_file",
    ]
    assert "canary" not in str(found)


async def test_what_a_provider_cannot_send_to_is_a_problem(given: Load, tmp_path: Path) -> None:
    section = APNS.format(file=tmp_path / "key.p8") + 'platforms = ["android"]\n'

    [(_, detail, _)] = await problems(given(section))

    assert detail == "channels.push_second.platforms: push_apns sends to ios only"


@pytest.mark.parametrize(
    ("section", "url", "told"),
    [
        ("email_smtp", "", True),
        ("email_smtp", "http://localhost:8080", True),
        ("email_smtp", "https://gateway.example.org", False),
        ("email_console", "", False),
    ],
)
async def test_links_that_only_this_machine_can_follow_are_told(
    given: Load, section: str, url: str, told: bool
) -> None:
    environ = {"ANGARIUM_HTTP_PUBLIC_URL": url} if url else {}

    findings = await found(given(f"[channels.{section}]\n", environ))

    remedies = [(one.well, one.remedy) for one in findings.get("links", [])]
    assert remedies == ([(None, "set http.public_url to what people see")] if told else [])


async def test_web_push_is_well_before_the_instance_has_made_its_key(given: Load) -> None:
    section = '[channels.web_push_vapid]\ncontact = "mailto:ops@example.org"\n'

    findings = await found(given(section))

    assert [finding.detail for finding in findings["channels"]] == [
        "web_push_vapid delivers on web_push"
    ]


async def held(loaded: Loaded, *rows: tuple[str, str, str, int]) -> None:
    """A prepared instance in which messages wait: channel, section, reason, how many."""
    await prepare_store(loaded.settings, now())
    store = await open_store(loaded.settings.database.url)
    async with store.transaction() as tx:
        counts = [
            ("default", 1, "cmp_a", "send", channel, section, "state", "held", reason, 0, count)
            for channel, section, reason, count in rows
        ]
        await tx.many("add_delivery_counts", sorted(counts))
        await keep_pauses(tx, {"sms_http": now() + 60_000, "sms_console": now() + 60_000})
    await store.close()


async def test_a_provider_that_takes_nothing_now_is_named_with_what_it_said(given: Load) -> None:
    settings = '[channels.sms_http]\nurl = "https://gw.example/x"\nbody = "{}"\n'
    loaded = given(settings + "[channels.sms_console]\n[channels.email_console]\n")
    refused = "sms_http: refused (401); check headers"
    await held(
        loaded,
        ("email", "email_console", "email_console: busy", 3),
        ("email", "", "quiet_hours", 7),
        ("push", "", "no_provider", 2),
        ("sms", "sms_http", "provider_paused", 4),
        ("sms", "sms_http", refused, 5),
    )

    findings = (await found(loaded))["messages"]

    said = [(finding.well, finding.detail) for finding in findings]
    assert said[0][1].startswith("sms_console is sent nothing until ")
    assert "see its settings" in findings[0].remedy
    assert said[1][1].startswith("sms_http is sent nothing until ")
    assert said[1][1].endswith(f", 9 are held: {refused}")
    assert said[2:] == [
        (None, "3 are tried again later: email_console: busy"),
        (False, "2 wait on push: no_provider"),
    ]
    assert [well for well, _ in said[:2]] == [False, False]


async def test_secrets_in_a_file_that_anyone_can_read_are_a_problem(given: Load) -> None:
    loaded = given('[keys]\nadmin = "a-key-that-is-long-enough-to-be-safe"\n')
    assert loaded.file is not None
    loaded.file.chmod(0o644)

    [(check, _, remedy)] = await problems(loaded)

    assert (check, remedy) == ("settings", f"chmod 600 {loaded.file}")


async def test_a_short_key_is_a_problem(given: Load) -> None:
    [(check, detail, _)] = await problems(given(environ={"ANGARIUM_ADMIN_KEY": "password"}))

    assert (check, detail) == ("settings", "keys.admin is short enough to be guessed")


async def test_a_server_that_is_not_there_is_named(given: Load) -> None:
    loaded = given(environ={"ANGARIUM_NATS_BINARY": "/nowhere/nats-server"})

    [(check, detail, remedy)] = await problems(loaded)

    assert (check, remedy) == ("broker", "correct nats.binary, or leave it out")
    assert "/nowhere/nats-server" in detail


async def test_a_check_that_breaks_is_a_finding_and_the_others_go_on(given: Load) -> None:
    loaded = given('[keys]\nadmin = "a-key-that-is-long-enough-to-be-safe"\n')
    assert loaded.file is not None
    loaded.file.unlink()

    findings = await found(loaded)

    [broken] = [one for one in findings["settings"] if one.well is False]
    assert broken.detail.startswith("FileNotFoundError: ")
    assert findings["database"]


MAILBOX = {
    "HOST": "127.0.0.1",
    "FROM": "shop@example.org",
    "RETURN_PATH": "bounce+{id}@example.org",
    "BOUNCE_SECRET": "a secret of sixteen letters",
}


def with_mailbox(path: Path) -> dict[str, str]:
    section = {**MAILBOX, "BOUNCES_MAILDIR": str(path)}
    return {f"ANGARIUM_CHANNELS_EMAIL_SMTP_{name}": value for name, value in section.items()}


async def test_a_mailbox_of_returned_mail_tells_how_it_stands(given: Load, tmp_path: Path) -> None:
    mail = make_maildir(tmp_path / "mail")
    mail.deliver(b"Subject: hello\n\n")

    findings = await found(given(environ=with_mailbox(mail.folder)))

    assert [finding.detail for finding in findings["channels"]] == [
        "email_smtp delivers on email",
        "email_smtp: returned mail: 1 in the mailbox, 1 to be read, 0 left alone with a flag",
    ]


async def test_a_mailbox_that_cannot_be_read_is_a_problem(given: Load, tmp_path: Path) -> None:
    [(check, detail, _)] = await problems(given(environ=with_mailbox(tmp_path / "nowhere")))

    reason = "the mailbox (bounces_maildir): list: No such file or directory"
    assert (check, detail) == ("channels", f"email_smtp: {reason}")

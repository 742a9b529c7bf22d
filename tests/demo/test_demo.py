"""`angarium demo` as people start it: the whole of it, and its refusals."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from angarium.gateway.cli import main

STATES = ("waiting", "accepted", "failed", "skipped", "cancelled", "in doubt")


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environ = {name: text for name, text in os.environ.items() if not name.startswith("ANGARIUM_")}
    return subprocess.run(
        [sys.executable, "-m", "angarium.gateway.cli", "demo", *arguments],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def row(output: str, name: str) -> list[int]:
    """The numbers of a line of the table of campaigns."""
    found = re.search(rf"^ {name} +([\d,· ]+)$", output, re.MULTILINE)
    assert found, name
    return [0 if word == "·" else int(word.replace(",", "")) for word in found[1].split()]


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("demo")
    done = run(folder, "--people", "90", "--port", "0")

    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "angarium-demo-data/mail.jsonl").exists()
    return done.stdout


@pytest.mark.timeout(400)
def test_it_ends_by_itself_where_nobody_looks_on(output: str) -> None:
    assert output.rstrip().endswith("Stopping.")
    assert "Ctrl-C" not in output
    assert "\x1b" not in output


@pytest.mark.timeout(400)
def test_its_figures_add_up_for_each_campaign_and_for_all(output: str) -> None:
    """N4: planned = the sum of the other six."""
    planned = row(output, "planned")
    parts = [row(output, f"  {state}") for state in STATES]

    assert len(planned) == 6
    assert planned == [sum(column) for column in zip(*parts, strict=True)]
    assert planned[-1] == sum(planned[:-1])
    assert planned[-1] > 20
    assert row(output, "  waiting")[-1] == 0


@pytest.mark.timeout(400)
def test_every_skip_has_a_reason(output: str) -> None:
    reasons = [row(output, f"    {name}") for name in re.findall(r"^ {5}([a-z_]+) ", output, re.M)]

    assert row(output, "  skipped") == [sum(column) for column in zip(*reasons, strict=True)]
    assert row(output, "    opted_out")[-1] > 0


@pytest.mark.timeout(400)
def test_the_mail_server_has_as_many_mails_as_were_accepted(output: str) -> None:
    [mails] = re.findall(r"own log holds ([\d,]+) mails", output)

    assert int(mails) == row(output, "  accepted")[-1] > 10


@pytest.mark.timeout(400)
def test_the_sum_is_written_out(output: str) -> None:
    [line] = re.findall(r"^  planned .*=.*$", output, re.MULTILINE)
    numbers = [int(number.replace(",", "")) for number in re.findall(r"[\d,]+", line)]

    assert numbers[0] == sum(numbers[1:]) == row(output, "planned")[-1]
    assert all(state in line for state in STATES)


@pytest.mark.timeout(400)
def test_events_are_stored_once_though_some_requests_came_twice(output: str) -> None:
    [(sent, refused, stored)] = re.findall(
        r"([\d,]+) messages in .*; ([\d,]+) of them refused .* and ([\d,]+) events", output
    )
    shown = re.findall(r"^ (?:Page Viewed|Product Viewed|AddToCart|Searched|Purchase|"
                       r"Logged In|Signed Up) +([\d,]+) *$", output, re.M)  # fmt: skip

    assert refused == "4"
    assert sum(int(count.replace(",", "")) for count in shown) == int(stored.replace(",", ""))
    assert int(stored.replace(",", "")) < int(sent.replace(",", ""))


@pytest.mark.timeout(400)
def test_people_are_told_apart(output: str) -> None:
    [counts] = re.findall(r"([\d,]+) people: ([\d,]+) known, ([\d,]+) anonymous", output)

    everybody, known, anonymous = map(int, counts)
    assert everybody == known + anonymous == 90
    assert known > anonymous > 10


@pytest.mark.timeout(400)
def test_it_shows_a_persian_mail_and_why_somebody_got_none(output: str) -> None:
    assert re.search(r"^  \| Subject: .*سبد خریدتان هنوز اینجاست$", output, re.MULTILINE)
    assert re.search(r"^  \| List-Unsubscribe: <http://127\.0\.0\.1:\d+/u/\S+>$", output, re.M)
    gates = re.findall(r"^ (\w+) +(send|skip|hold|not_asked) +(\w*)", output, re.MULTILINE)
    verdicts = [verdict for _, verdict, _ in gates]
    refused = verdicts.index("skip")
    assert set(verdicts[:refused]) == {"send"}
    assert set(verdicts[refused + 1 :]) == {"not_asked"}
    assert gates[refused] == ("opt_in", "skip", "opted_out")
    assert '"reason":"unsubscribed"' in output


@pytest.mark.timeout(400)
def test_it_says_where_to_look(output: str) -> None:
    for path in ("/v1", "/schema", "/health/ready", "/metrics"):
        assert re.search(rf"http://127\.0\.0\.1:\d+{path}$", output, re.MULTILINE)
    assert re.search(r"admin key +ang_ak_\w+$", output, re.MULTILINE)
    assert re.search(r"write key +ang_wk_\w+$", output, re.MULTILINE)


@pytest.mark.timeout(400)
def test_bad_values_are_listed_with_the_remedy(output: str) -> None:
    assert re.search(r"^ birth_date +1370/05/12 +bad_date +.*yyyy-MM-dd", output, re.MULTILINE)
    assert re.search(r"^ event +no_event_name ", output, re.MULTILINE)


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("two years of work")

    done = run(tmp_path, "--data", str(tmp_path))

    assert done.returncode == 1
    assert "holds something else; name another folder with --data" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(tmp_path, "--port", str(port))

    assert (done.returncode, done.stdout.count("\n")) == (1, 0)
    assert f"port {port} is taken" in done.stderr


def test_a_running_instance_is_named_with_both_keys() -> None:
    done = CliRunner().invoke(main, ["demo", "--url", "http://127.0.0.1:1", "--write-key", "w" * 9])

    assert done.exit_code == 2
    assert "--url needs --write-key and --admin-key" in done.output

"""A bounded part of the chaos: mutated inputs, and work that is killed and resumed."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from places import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def run_chaos(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tests" / "chaos" / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.mark.fault("C4")
def test_readers_of_strangers_documents_raise_nothing_but_their_named_errors() -> None:
    chaos = run_chaos("inputs.py", "--count", "1500", "--seed", "11")
    assert chaos.returncode == 0, chaos.stdout + chaos.stderr


@pytest.mark.fault("S1")
@pytest.mark.parametrize("options", [(), pytest.param(("--postgresql",), marks=pytest.mark.postgresql)])
def test_work_that_is_killed_and_resumed_ends_with_the_candidates_search_and_issue_of_work_left_alone(
    options: tuple[str, ...],
) -> None:
    chaos = run_chaos("kills.py", "--runs", "2", "--seed", "11", *options)
    assert chaos.returncode == 0, chaos.stdout + chaos.stderr
    assert "2 runs, 0 kills" not in chaos.stdout


@pytest.mark.postgresql
@pytest.mark.fault("K6")
def test_workers_that_are_killed_stopped_and_cut_off_leave_the_store_of_one_that_nobody_disturbed() -> None:
    chaos = run_chaos("workers.py", "--kills", "5", "--rounds", "2", "--seed", "11")
    assert chaos.returncode == 0, chaos.stdout + chaos.stderr
    assert re.match("[1-5] kills, 1 stops", chaos.stdout), chaos.stdout

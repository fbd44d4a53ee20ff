"""scripts/inv on a stand-in checkout: what a newcomer meets, and what a second start costs."""

from __future__ import annotations

import shutil
import signal
import sys
from pathlib import Path

import pytest
import uv

from tests import checkouts
from tests.checkouts import Checkout


@pytest.fixture
def with_pip(tmp_path: Path) -> Checkout:
    """A checkout that pip sets up."""
    return checkouts.make(tmp_path)


@pytest.fixture
def checkout(with_pip: Checkout) -> Checkout:
    """A checkout that a stand-in for pip sets up, at once."""
    with_pip.set_pip_aside()
    return with_pip


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout that is set up; tests of it must leave it so."""
    checkout = checkouts.make(tmp_path_factory.mktemp("ready"))
    checkout.report()
    return checkout


def test_a_second_start_compares_the_locks_and_starts_python(ready: Checkout) -> None:
    ready.started()
    ready.report()
    assert sorted(ready.started()) == ["cat", "cmp"]


def test_words_reach_the_program_as_they_are_from_anywhere(tmp_path: Path) -> None:
    checkout = checkouts.make(tmp_path, "a 'check' out \u00fc \\ $HOME")
    link = tmp_path / "elsewhere" / "inv"
    link.parent.mkdir()
    link.symlink_to(checkout.root / "scripts/inv")
    words = ["fuse", "a b.whl", "", "$x", "*", "--flag='q'"]
    report = checkout.report(*words, script=link, cwd=link.parent)
    assert report["argv"] == words
    assert report["cwd"] == str(link.parent)
    assert report["checkout"] == str(checkout.root)
    assert report["program"] == str(link)
    assert Path(report["prefix"]) in checkout.environments


def test_the_program_is_called_as_it_was_typed(ready: Checkout) -> None:
    scripts = ready.root / "scripts"
    typed = {"scripts/inv": ready.root, "../scripts/inv": scripts, "inv": scripts}
    report = [
        ready.report(script=Path(script), cwd=folder)["program"] for script, folder in typed.items()
    ]
    assert report == ["scripts/inv", "../scripts/inv", "./inv"]


def test_what_lies_in_the_callers_folder_is_not_imported(ready: Checkout, tmp_path: Path) -> None:
    for name in ("json.py", "dependency.py", "tensorflow_macos_build.py"):
        (tmp_path / name).write_text("raise SystemExit('the wrong one')")
    assert ready.report(cwd=tmp_path)["version"] == "1.0"


def test_the_exit_status_is_the_programs(ready: Checkout) -> None:
    assert [ready.run("exit", str(code)).returncode for code in (0, 2, 75)] == [0, 2, 75]


@pytest.mark.parametrize("home", ["", None])
def test_an_empty_home_counts_as_none(ready: Checkout, home: str | None) -> None:
    assert ready.report(env={"HOME": home})["home"] is None


def test_misleading_settings_of_pip_and_python_do_not_count(
    with_pip: Checkout, tmp_path: Path
) -> None:
    (tmp_path / "dependency.py").write_text("VERSION = 'shadow'")
    misleading = {
        "PIP_USER": "1",
        "PIP_TARGET": str(tmp_path / "t"),
        "PYTHONPATH": str(tmp_path),
        "PYTHONHOME": str(tmp_path),
    }
    assert with_pip.report(env=misleading)["version"] == "1.0"


def test_a_new_lock_makes_a_new_environment_and_the_old_one_goes(checkout: Checkout) -> None:
    old = checkout.report()["prefix"]
    checkout.lock("2.0")
    report = checkout.report()
    assert report["version"] == "2.0"
    assert checkout.environments == [Path(report["prefix"])] != [Path(old)]


def test_a_word_to_complete_starts_no_set_up(with_pip: Checkout) -> None:
    ended = with_pip.run("--complete", "--", "bui")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert not (with_pip.root / ".venv.d").exists()


def test_the_environments_python_finds_the_package(ready: Checkout) -> None:
    ready.report()
    assert ready.imports("tensorflow_macos_build.__init__")
    assert not ready.imports("no_such_package")


def test_a_group_is_added_when_it_is_asked_for_and_stays(checkout: Checkout) -> None:
    checkout.lock("1.0", "lint")
    checkout.lock("1.0", "demo")
    assert checkout.report()["groups"] == []
    asked = checkout.report(env={"INV_GROUPS": "lint"})
    assert (asked["groups"], asked["wants"]) == (["lint"], None)
    checkout.started()
    assert checkout.report()["groups"] == ["lint"]
    assert sorted(checkout.started()) == ["cat", "cmp"]
    assert checkout.report(env={"INV_GROUPS": "demo"})["groups"] == ["demo", "lint"]
    assert len(checkout.environments) == 1


def test_the_lock_of_a_group_that_is_not_installed_changes_nothing(checkout: Checkout) -> None:
    checkout.lock("1.0", "lint")
    old = checkout.report()["prefix"]
    checkout.lock("2.0", "lint")
    assert checkout.report()["prefix"] == old
    new = checkout.report(env={"INV_GROUPS": "lint"})["prefix"]
    checkout.lock("3.0", "lint")
    assert checkout.report()["prefix"] not in {old, new}


def test_an_environment_of_the_time_before_groups_keeps_all_packages(checkout: Checkout) -> None:
    checkout.lock("1.0", "lint")
    origin = Path(checkout.report()["prefix"], "stamp/origin")
    origin.write_text("".join(origin.read_text().splitlines(keepends=True)[:3]))
    assert checkout.report()["groups"] == ["lint"]


def test_a_group_that_does_not_exist_is_wrong_usage(checkout: Checkout) -> None:
    ended = checkout.run(env={"INV_GROUPS": "lnit"})
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "inv: there is no group `lnit` of packages, only run\n"


def test_a_lock_that_cannot_be_met_costs_no_working_environment(with_pip: Checkout) -> None:
    with_pip.set_pip_aside()
    old = with_pip.report()["prefix"]
    with_pip.use_pip()
    lock = with_pip.lock_of()
    good = lock.read_text()
    lock.write_text(good.replace("sha256:", "sha256:0")[: len(good)])
    failed = with_pip.run()
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
    sentence = failed.stderr.splitlines()[-1]
    assert sentence.startswith("inv: pip could not install what the lock asks for: ")
    log = with_pip.root / ".venv.d/set-up.log"
    assert sentence.endswith(f" (all of it is in {log})")
    assert "hash" in log.read_text()
    lock.write_text(good)
    assert with_pip.report()["prefix"] == old


def test_a_program_keeps_the_environment_that_it_runs_in(checkout: Checkout) -> None:
    with checkout.popen("hold") as child:
        assert child.stdout.readline() == "held\n"
        checkout.lock("2.0")
        assert checkout.report()["version"] == "2.0"
        assert len(checkout.environments) == 2
        _, err = child.communicate("")
        assert child.returncode == 0, err
    checkout.lock("3.0")
    checkout.report()
    assert len(checkout.environments) == 1


def test_the_locks_own_uv_installs_the_lock(with_pip: Checkout) -> None:
    with_pip.add_uv(Path(uv.find_uv_bin()).read_bytes())
    assert with_pip.report(env={"UV_TARGET": "/nonexistent"})["version"] == "1.0"
    assert with_pip.installer() == "uv"


def test_without_a_home_uv_leaves_no_cache(with_pip: Checkout, tmp_path: Path) -> None:
    with_pip.add_uv(Path(uv.find_uv_bin()).read_bytes())
    before = set(tmp_path.iterdir())
    assert with_pip.report(env={"HOME": ""})["version"] == "1.0"
    assert with_pip.installer() == "uv"
    assert not list(with_pip.root.glob(".venv.d/env-*/*cache*"))
    assert {path.name for path in set(tmp_path.iterdir()) - before} <= {"started"}


def test_a_uv_that_fails_is_told_and_pip_does_it(with_pip: Checkout) -> None:
    with_pip.add_uv(b"#!/bin/sh\necho 'error: no route to host' >&2\nexit 2\n")
    ended = with_pip.run()
    assert ended.returncode == 0, ended.stderr
    assert "no route to host" in ended.stderr
    assert "inv: uv could not install the packages, so pip does it (uv failed: " in ended.stderr
    assert with_pip.installer() == "pip"
    assert len(with_pip.environments) == 1


def test_where_uv_has_no_wheel_pip_installs_the_rest_and_says_so_in_a_sentence(
    with_pip: Checkout,
) -> None:
    with_pip.forbid_uv()
    ended = with_pip.run()
    assert ended.returncode == 0, ended.stderr
    lines = [line for line in ended.stderr.splitlines() if "uv" in line.split()]
    assert len(lines) == 1
    assert lines[0].startswith("inv: uv could not be installed, so pip has installed the rest (")
    assert with_pip.installer() == "pip"
    assert not list(with_pip.root.glob(".venv/*.txt"))
    with_pip.started()
    with_pip.report()
    assert sorted(with_pip.started()) == ["cat", "cmp"]


def test_where_uv_has_no_wheel_a_wrong_hash_is_still_refused(with_pip: Checkout) -> None:
    lock = with_pip.lock_of()
    lock.write_text(lock.read_text().replace("sha256:", "sha256:0", 1)[: -len("0\n")] + "\n")
    with_pip.forbid_uv()
    ended = with_pip.run()
    assert ended.returncode == 1
    assert not (with_pip.root / ".venv").exists()
    assert "so pip has installed" not in ended.stderr


def test_a_wrong_hash_is_refused_by_uv_and_by_pip(with_pip: Checkout) -> None:
    with_pip.add_uv(Path(uv.find_uv_bin()).read_bytes())
    lock = with_pip.lock_of()
    lock.write_text(lock.read_text().replace("sha256:", "sha256:0", 1)[: -len("0\n")] + "\n")
    assert with_pip.run().returncode == 1
    assert not (with_pip.root / ".venv").exists()


def test_a_foreign_venv_is_set_aside_and_said_so(checkout: Checkout) -> None:
    foreign = checkout.root / ".venv/bin"
    foreign.mkdir(parents=True)
    (foreign / "python").symlink_to(sys.executable)
    (foreign / "mine").write_text("precious")
    ended = checkout.run()
    assert ended.returncode == 0
    (kept,) = checkout.root.glob(".venv.old-*/venv/bin/mine")
    assert kept.read_text() == "precious"
    assert kept.parents[2].name in ended.stderr


def test_a_moved_checkout_is_set_up_again(checkout: Checkout) -> None:
    checkout.report()
    moved = Checkout(checkout.root.with_name("moved"), checkout.tools)
    checkout.root.rename(moved.root)
    report = moved.report()
    assert report["checkout"] == str(moved.root)
    assert [Path(report["prefix"])] == moved.environments


def test_an_environment_whose_python_is_gone_is_made_again(checkout: Checkout) -> None:
    python = Path(checkout.report()["prefix"], "bin/python")
    python.unlink()
    python.symlink_to("/nonexistent/python3.9")
    assert checkout.report()["version"] == "1.0"


def test_another_python_asked_for_makes_another_environment(checkout: Checkout) -> None:
    first = checkout.report()["prefix"]
    other = str(checkout.tools / "python3")
    second = checkout.report(env={"PYTHON": other})["prefix"]
    assert first != second
    assert checkout.report(env={"PYTHON": other})["prefix"] == second
    assert checkout.report()["prefix"] == second


def test_a_python_with_ensurepip_alone_is_enough(with_pip: Checkout) -> None:
    with_pip.hide("pip")
    environment = Path(with_pip.report()["prefix"])
    assert with_pip.installer() == "pip"
    assert not (environment / "ensured").exists()


def test_an_index_that_does_not_answer_is_one_sentence(with_pip: Checkout) -> None:
    nobody = {"PIP_NO_INDEX": None, "PIP_INDEX_URL": "http://127.0.0.1:1/", "PIP_RETRIES": "0"}
    with_pip.lock_of().write_text(with_pip.lock_of().read_text().replace("dependency", "absent"))
    ended = with_pip.run(env=nobody)
    assert (ended.returncode, ended.stdout) == (1, "")
    lines = ended.stderr.splitlines()
    assert "No matching distribution found for absent==1.0" in lines[-1]
    assert all(line.startswith("inv: ") for line in lines)


@pytest.mark.parametrize("interpreter", ["no-such-python", "git"])
def test_a_python_that_is_none_is_wrong_usage(checkout: Checkout, interpreter: str) -> None:
    ended = checkout.run(env={"PYTHON": interpreter})
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"inv: PYTHON={interpreter} is not a Python 3.10 or newer\n"


def test_without_python_one_line_says_what_to_install(checkout: Checkout) -> None:
    (checkout.tools / "python3").unlink()
    ended = checkout.run()
    assert ended.returncode == 2
    assert ended.stderr.startswith("inv: Python 3.10 or newer is needed; type: ")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("apt_status", [None, 100])
def test_without_ensurepip_and_pip_one_line_says_what_to_install(
    with_pip: Checkout, apt_status: int | None
) -> None:
    with_pip.hide("ensurepip", "pip")
    if apt_status is not None:
        fake = with_pip.tools / "apt-get"
        fake.write_text(f'#!/bin/sh\necho "apt-get $*" >>"{with_pip.log}"\nexit {apt_status}\n')
        fake.chmod(0o755)
    ended = with_pip.run()
    assert ended.returncode == 2
    installer = "sudo apt-get" if apt_status else "brew"
    package = f"python3.{sys.version_info.minor}-venv"
    assert ended.stderr.endswith(
        f"neither ensurepip nor pip; type: {installer} install {package}\n"
    )


def test_without_git_one_line_says_what_to_install(checkout: Checkout) -> None:
    (checkout.tools / "git").unlink()
    ended = checkout.run()
    assert (ended.returncode, ended.stderr) == (2, "inv: git is needed; type: brew install git\n")


@pytest.mark.skipif(shutil.which("bash") is None, reason="install bash")
def test_the_script_means_the_same_to_bash(ready: Checkout) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    with ready.popen("exit", "7", executable=bash) as child:
        child.communicate()
    assert child.returncode == 7


def test_python_starts_deaf_to_interrupts_and_knows_whether_to_listen(ready: Checkout) -> None:
    """A shell starts its background jobs with SIGINT ignored, and they keep it so (POSIX, 2.11)."""
    report = ready.report()
    assert (report["ignores_interrupts"], report["interruptible"]) == (True, "yes")
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        report = ready.report()
    finally:
        signal.signal(signal.SIGINT, before)
    assert (report["ignores_interrupts"], report["interruptible"]) == (True, None)

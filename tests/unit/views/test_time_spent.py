import dataclasses

from tensorflow_macos_build.pipeline.records import TimedAction
from tensorflow_macos_build.views import markdown, time_spent
from tests.view_samples.builds import BUILT, EFFORT


def test_people_see_kinds_the_slowest_the_critical_path_and_why_actions_ran() -> None:
    assert list(time_spent.as_lines(EFFORT)) == [
        "  1,234 actions, 12 of them from caches, hit rate 1.0 %"
        " (1,222 linux-sandbox, 12 disk cache hit)",
        "  at least 1,234 more reused from builds before, of at least 2,468 needed",
        "  run because: 1 action command has changed",
        "        2.2 s  CppCompile, 1 action",
        "  1,233 actions more, of other kinds, or so short that Bazel's profile joins them",
        "  slowest actions",
        "        2.2 s  Compiling a|b.cc",
        "  critical path, 2.2 s",
        "        2.2 s  Compiling a|b.cc",
    ]


def test_every_action_is_in_a_kind_or_among_the_rest() -> None:
    assert EFFORT.time is not None
    (kind,) = EFFORT.time.kinds
    for actions, rest in ((1, []), (2, ["  1 action more"]), (0, [])):
        effort = EFFORT.model_copy(update={"actions": kind.actions - 1 + actions})
        lines = list(time_spent.as_lines(effort))
        assert [line.split(",")[0] for line in lines if " more, " in line] == rest
        summary = time_spent.as_markdown(BUILT, effort)
        assert (" more, of other kinds" in summary) == bool(rest)


def test_what_was_there_already_took_no_time() -> None:
    assert time_spent.effort_of(BUILT) == EFFORT
    assert time_spent.effort_of(dataclasses.replace(BUILT, up_to_date=True)) is None


def test_no_description_is_markup_in_a_jobs_summary() -> None:
    hostile = TimedAction(description="a|b <img> `c`\n# d\n\n![e](f)", seconds=1)
    assert EFFORT.time is not None
    time = EFFORT.time.model_copy(update={"slowest": (hostile,)})
    summary = time_spent.as_markdown(BUILT, EFFORT.model_copy(update={"time": time}))
    assert r"| 1.0 | a\|b \<img\> \`c\` \# d \!\[e\]\(f\) |" in summary.splitlines()


def test_a_tools_own_words_stay_as_they_are_in_a_jobs_summary() -> None:
    assert markdown.verbatim("a *b*\n```\n## c") == "\n    a *b*\n    ```\n    ## c\n\n"


def test_a_build_that_did_all_it_needed_has_saved_nothing() -> None:
    for needed in (0, EFFORT.actions):
        lines = list(time_spent.as_lines(EFFORT.model_copy(update={"needed": needed})))
        assert not [line for line in lines if "reused" in line]

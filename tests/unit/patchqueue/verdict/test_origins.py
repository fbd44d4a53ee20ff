"""What messages say of commits and pull requests."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tensorflow_macos_build.patchqueue.verdict import origins
from tensorflow_macos_build.patchqueue.verdict.origins import PullRequest

PROJECT = "https://github.com/o/p"
_NUMBERS = st.sampled_from(("7", "70", "07", "17", "0"))
_SUBJECTS = ("Fix it (#{})", "PR #{}: Fix it", "Merge pull request #{} from x/y", "Revert it (#{})")
_LINES = (
    "See merge request g/p!{}", f"PR-URL: {PROJECT}/pull/{{}}",
    f"Imported from {PROJECT}/pull/{{}}", f"COPYBARA_INTEGRATE_REVIEW={PROJECT}/pull/{{}} from x",
    "Pull Request: https://a/b/pull/{}",
    "PR-URL: https://gitlab.com/g/p/-/merge_requests/{}", "Closes #{}", "{}", "v1.{}",
)  # fmt: skip


@st.composite
def _messages(draw: st.DrawFn) -> bytes:
    subject = draw(st.sampled_from((*_SUBJECTS, "Fix it"))).format(draw(_NUMBERS))
    body = [form.format(draw(_NUMBERS)) for form in draw(st.lists(st.sampled_from(_LINES)))]
    return "\n".join([subject, "", *body, ""]).encode()


@given(_messages(), _NUMBERS)
def test_the_number_of_a_request_that_a_commit_comes_from_is_among_its_numbers(
    message: bytes, number: str
) -> None:
    """Law: those numbers are what commits are looked up by, so that not all have to be read."""
    for project in ("", PROJECT, "https://a/b", "https://gitlab.com/g/p"):
        for upstream in ("", PROJECT):
            if origins.comes_from(message, PullRequest(project, number), upstream):
                assert number in origins.requests_in(message)

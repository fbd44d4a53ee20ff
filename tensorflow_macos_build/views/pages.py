"""Pages of HTML from the templates beside this module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jinja2

from tensorflow_macos_build.report.page import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def render(
    template: str, values: Mapping[str, Any], tests: Mapping[str, Callable[..., bool]] | None = None
) -> str:
    """Return a page that is complete in itself, for light and dark screens.

    Args:
        template: the name of a file in `templates/`.
        values: what it shows. Their text is foreign, and so escaped wherever it stands.
        tests: what it may ask of them, by name.
    """
    environment = jinja2.Environment(
        # A report's page lies in another room, and has the styles that all pages share.
        loader=jinja2.ChoiceLoader(
            [
                jinja2.PackageLoader("tensorflow_macos_build.views"),
                jinja2.PackageLoader("tensorflow_macos_build.report"),
            ]
        ),
        autoescape=True,
        finalize=shown,
        # A line that is a statement of the template leaves no empty line in the page.
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,  # a misspelt name fails instead of showing nothing
    )
    environment.tests.update(tests or {})
    return environment.get_template(template).render(values)

"""What a schema cannot say of a document: places that lie outside its lists, lists that differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.release import model

if TYPE_CHECKING:
    from tensorflow_macos_build.documents import Json


def check(kind: str, body: Json) -> None:
    """Check a document that obeys its schema.

    Raises:
        ValueError: it points to what it does not have.
        MacosBuildError: its tag or a file's name is none.
    """
    match kind:
        case "forecast.v1":
            _check_forecast(body)
        case "plugin-matrix.v1":
            _check_matrix(body)
        case "release.v1":
            model.of_document(body)


def _check_forecast(body: Json) -> None:
    for patch in body["patches"]:
        if len(patch["fates"]) != len(body["revisions"]):
            raise ValueError(f"{patch['name']} has not as many fates as there are revisions")


def _check_matrix(body: Json) -> None:
    for cell in body["cells"]:
        for key, wheels in (("plugin", "plugins"), ("host", "hosts")):
            if cell[key] >= len(body[wheels]):
                raise ValueError(f"a cell names {key} {cell[key]}, and there are fewer")

from pathlib import Path

import pydantic
import pytest

from tensorflow_macos_build import config
from tensorflow_macos_build.errors import UsageError

WHOLE = """\
upstream: {url: "embedded:", ref: v1}
bazel:
  target: //a:b
  configure_env: {A: "1", B: "2"}
architectures:
  arm64: {deployment_target: "12.0"}
  x86_64: {deployment_target: "10.15"}
"""


def write(root: Path, **files: str) -> Path:
    folder = root / "build_configs"
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return root


def refused(root: Path, name: str, **overrides: str) -> str:
    changes = {key.replace("__", "."): value for key, value in overrides.items()}
    with pytest.raises(UsageError) as caught:
        config.load(name, changes, root=root)
    return str(caught.value)


def test_a_release_is_named_like_its_file_unless_it_says_otherwise(tmp_path: Path) -> None:
    root = write(tmp_path, one=WHOLE, two=WHOLE + "name: other\n")
    assert config.load("one", root=root).release.name == "one"
    assert config.load("two", root=root).release.name == "other"


def test_what_extends_wins_and_mappings_are_merged_key_by_key(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        low=WHOLE + "wheelhouse: [a, b]\n",
        middle="extends: low\nbazel: {configure_env: {B: x}}\n",
        top="extends: middle\nwheelhouse: [c]\nbazel:\n  jobs: 3\n",
    )
    loaded = config.load("top", root=root)
    assert loaded.release.bazel.configure_env == {"A": "1", "B": "x"}
    assert loaded.release.bazel.jobs == 3
    assert loaded.release.wheelhouse == ("c",)
    assert [path.stem for path in loaded.files] == ["top", "middle", "low"]


def test_a_parent_is_extended_and_is_none_of_the_configs(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        low=WHOLE + "parent: true\n",
        top="extends: low\n",
        torn="parent: [",
        plain=WHOLE + "parent: false\n",
    )
    assert config.load("top", root=root).release.bazel.target == "//a:b"
    assert config.load("plain", root=root).release.name == "plain"
    assert config.names(root) == ["plain", "top", "torn"]


def test_every_value_knows_its_file_and_line_or_its_flag(tmp_path: Path) -> None:
    root = write(tmp_path, low=WHOLE, top="extends: low\nbazel:\n  jobs: 3\n")
    loaded = config.load("top", {"upstream.ref": "v2"}, root=root)
    sources = {key: str(source) for key, source in loaded.provenance.items()}
    assert sources["bazel.jobs"] == "build_configs/top.yaml:3:3"
    assert sources["bazel.configure_env.B"] == "build_configs/low.yaml:4:27"
    assert sources["upstream.ref"] == "--set upstream.ref=v2"
    assert sources["host_build"] == "default"
    assert set(sources) == {
        key for key, _ in config.flatten(loaded.release.model_dump(mode="json"))
    }


def test_a_version_keeps_its_text_and_is_never_a_number(tmp_path: Path) -> None:
    root = write(tmp_path, one=WHOLE + "python: 3.10\nversion: 1.20\n")
    loaded = config.load("one", {"bazel.configure_env.A": "007"}, root=root)
    assert loaded.release.python == "3.10"
    assert loaded.release.version == "1.20"
    assert loaded.release.bazel.configure_env["A"] == "007"


def test_a_flag_may_hold_a_list(tmp_path: Path) -> None:
    root = write(tmp_path, one=WHOLE)
    loaded = config.load("one", {"bazel.flags": "[--a, --b=1]"}, root=root)
    assert loaded.release.bazel.flags == ("--a", "--b=1")


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        low=WHOLE.replace("target: //", "tarjet: //") + "wheelhouse: x\n",
        top="extends: low\nbazel:\n  jobs: many\n  jobs: 2\nqeue: demo\n"
        "fuse: {rules: [{path: /a}]}\n",
    )
    text = refused(root, "top", host_build="perhaps")
    for line in (
        "build_configs/top.yaml:2:1: the key `bazel.target` is missing",
        "build_configs/low.yaml:3:3: unknown key `tarjet` in `bazel` (did you mean `target`?)",
        "build_configs/low.yaml:8:13: `wheelhouse` must be a list",
        "build_configs/top.yaml:3:9: `bazel.jobs`: input should be a valid integer",
        "build_configs/top.yaml:4:3: the key `jobs` is there twice",
        "build_configs/top.yaml:5:1: unknown key `qeue` (did you mean `queue`?)",
        "build_configs/top.yaml:6:16: the key `fuse.rules.0.verdict` is missing",
        "build_configs/top.yaml:6:23: `fuse.rules.0.path`",
        "--set host_build=perhaps: `host_build`",
    ):
        assert line in text
    assert text.startswith("9 mistakes\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "build_configs/one.yaml:1:5: not YAML"),
        ("a: b: c", "build_configs/one.yaml:1:5: not YAML"),
        ("\n- 1", "build_configs/one.yaml:2:1: it must be a mapping"),
        ("a: &x 1\nb: *x", "build_configs/one.yaml:1:4: anchors and aliases"),
        ("\na: !!python/name:os.system x", "build_configs/one.yaml:2:4: the tag"),
        ("a: " + "[" * 90, "build_configs/one.yaml:1:35: values are nested deeper than 32"),
        ("a: 1\nb: \x07", "build_configs/one.yaml:2:4: a character that YAML does not allow"),
        ('a: "\\0"', "build_configs/one.yaml:1:4: the control character U+0000 is not taken"),
        ('a: "\\ud800"', "build_configs/one.yaml:1:4: the control character U+D800 is not taken"),
        ('"\\e": b', "build_configs/one.yaml:1:1: the control character U+001B is not taken"),
        ('a: "\\Uffffffff"', "build_configs/one.yaml:1:7: not YAML: a number in it is too large"),
        ("%YAML " + "9" * 5000 + ".1\n---\na: b", "build_configs/one.yaml:1:"),
        ("a: !!int x", "build_configs/one.yaml:1:4: the tag"),
        (WHOLE + "limits: {disk_gb: .inf}", "`limits.disk_gb`"),
        (WHOLE + "limits: {disk_gb: 1e999}", "`limits.disk_gb`"),
        (WHOLE + "version: 1" + "0" * 5000, "`version`"),
        ("b: 1\n" * 9000, "and 8953 more"),
        ("a: " + "x" * (1 << 20), "build_configs/one.yaml: it has more than"),
        ("extends: one", "configs extend each other"),
        ("extends: two", "configs extend each other: build_configs/one.yaml → build_configs/two"),
        ("extends: ../one", "`extends` must name a config beside this one"),
        ("extends: tow", "did you mean `two`?"),
        ("extends: [two]", "build_configs/one.yaml:1:10: `extends` must name"),
        (WHOLE + "parent: true", "build_configs/one.yaml:8:9: this is a parent of configs"),
        (WHOLE + "parent: yes", "build_configs/one.yaml:8:9: `parent` must be true or false"),
        ("parent: true", "this is a parent of configs, and no release"),
        (WHOLE + "unverified: {A b: c}", "`unverified.A b"),
        (WHOLE.replace("  target", "  version: 6.5\n  target"), "`bazel.version`"),
        (WHOLE + "queue: ../../etc", "`queue`"),
        (WHOLE + "name: ../x", "`name`"),
        (WHOLE + "fuse: {rules: [{path: a/../../b, verdict: x}]}", "must stay inside the wheel"),
        (WHOLE + "bazel: 3", "is there twice"),
        (WHOLE + "host: 3", "`host` must be a mapping of keys to values"),
        (WHOLE + "host: {? [a] : b}", "a key must be plain text"),
        ("", "the key `upstream` is missing"),
    ],
)
def test_bad_input_says_what_and_where(tmp_path: Path, text: str, message: str) -> None:
    assert message in refused(write(tmp_path, one=text, two="extends: one"), "one")


def test_a_file_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    root = write(tmp_path, one=WHOLE)
    (root / "build_configs" / "one.yaml").write_bytes(b"a: 1\nb: \xff\n")
    assert refused(root, "one").startswith("build_configs/one.yaml:2: it is not UTF-8")


def test_extends_does_not_follow_a_link_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text(WHOLE)
    root = write(tmp_path, one="extends: two")
    (root / "build_configs" / "two.yaml").symlink_to("../secret.yaml")
    assert "leads out of its folder" in refused(root, "one")


def test_a_missing_config_names_the_nearest_one_or_all(tmp_path: Path) -> None:
    root = write(tmp_path, demo=WHOLE, other=WHOLE)
    assert "did you mean `demo`?" in refused(root, "dmeo")
    assert "there are: demo, other" in refused(root, "zzz")
    assert "there is no such config" in refused(root, "folder/demo.yaml")


def test_the_project_is_found_from_a_folder_inside(tmp_path: Path) -> None:
    root = write(tmp_path, demo=WHOLE)
    inside = root / "a" / "b"
    inside.mkdir(parents=True)
    assert config.find_root(inside) == root.resolve()
    with pytest.raises(UsageError, match="no build_configs"):
        config.find_root(Path("/"))


def test_values_are_frozen(tmp_path: Path) -> None:
    release = config.load("one", root=write(tmp_path, one=WHOLE)).release
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        release.bazel.jobs = 2


SECRET = "s3cr3t/of@me"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("cache.address", f"https://me:{SECRET}@cache.example/path"),
        ("cache.address", f"https://{SECRET}@cache.example"),
        ("cache.address", f"ftp://me:{SECRET}@cache.example"),
        ("bazel.flags", f"[--remote_cache=http://me:{SECRET}@cache.example]"),
        ("bazel.jobs", f"http://me:{SECRET}@cache.example"),
    ],
)
def test_an_address_with_a_password_is_refused_and_not_repeated(
    tmp_path: Path, key: str, value: str
) -> None:
    root = write(tmp_path, one=WHOLE, two=f"extends: one\n{key.replace('.', ': {')}: '{value}'}}\n")
    for words in (refused(root, "one", **{key: value}), refused(root, "two")):
        assert SECRET not in words
        assert "s3cr3t" not in words
        assert key in words


@pytest.mark.parametrize(
    ("key", "values"),
    [
        (
            "cache.address",
            ["host:80", "https://", "http://:80", "http://a b", "http://h/?key=1", "http://h#1"],
        ),
        ("cache.disk", ["/abs", "~/x", "a/../b"]),
        ("cache.timeout_s", ["0", "-1"]),
    ],
)
def test_a_cache_has_an_address_and_a_folder_of_the_project(
    tmp_path: Path, key: str, values: list[str]
) -> None:
    root = write(tmp_path, one=WHOLE)
    for value in values:
        assert key in refused(root, "one", **{key: value})

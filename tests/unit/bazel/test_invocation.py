from pathlib import Path

from tensorflow_macos_build.bazel import Invocation


def test_the_command_line_is_pinned() -> None:
    invocation = Invocation(
        workspace=Path("/src"),
        output_base=Path("/b/base"),
        targets=("//tensorflow/tools/pip_package:wheel",),
        flags=("--config=opt", "--jobs=2"),
        startup=("--host_jvm_args=-Xmx4g",),
    )
    assert invocation.argv(Path("/e.json")) == [
        "bazel",
        "--nohome_rc",
        "--output_user_root=/b/base.user",
        "--output_base=/b/base",
        "--max_idle_secs=60",
        "--host_jvm_args=-Xmx4g",
        "build",
        "--color=no",
        "--curses=no",
        "--show_progress_rate_limit=0.5",
        "--nosandbox_debug",
        "--build_event_json_file=/e.json",
        "--nobuild_event_json_file_path_conversion",
        "--config=opt",
        "--jobs=2",
        "--",
        "//tensorflow/tools/pip_package:wheel",
    ]

"""Compiles, archives, links and generated headers that cost what they are told to."""

load("//tensorflow/sim:journal.bzl", "JOURNAL")

SimInfo = provider(
    doc = "A simulated library.",
    fields = {"archives": "depset of archives", "headers": "depset of its own headers"},
)

def _act(ctx, kind, output, cost, size, inputs):
    arguments = ctx.actions.args()
    arguments.add(cost)
    arguments.add(size)
    arguments.add(output)
    arguments.add_all(inputs)
    ctx.actions.run(
        executable = ctx.executable._worker,
        arguments = [arguments],
        inputs = inputs,
        outputs = [output],
        mnemonic = "Sim" + kind,
        progress_message = "%s %s" % (_VERBS[kind], output.short_path),
        # Not by --action_env, which does not reach the host configuration.
        env = {"SIM_JOURNAL": JOURNAL},
    )
    return output

_VERBS = {"Archive": "Archiving", "Compile": "Compiling", "Generate": "Generating", "Link": "Linking"}

_WORKER = {
    "_worker": attr.label(default = "//tensorflow/sim:worker", executable = True, cfg = "host"),
}

def _library_impl(ctx):
    headers = depset(transitive = [dep[SimInfo].headers for dep in ctx.attr.deps])
    visible = depset(ctx.files.hdrs, transitive = [headers])
    objects = []
    for number, cost in enumerate(ctx.attr.costs):
        source = ctx.files.srcs[number]
        output = ctx.actions.declare_file("_objs/%s.o" % source.basename[:-3])
        inputs = depset([source], transitive = [visible])
        objects.append(_act(ctx, "Compile", output, cost, 8000, inputs))
    archive = ctx.actions.declare_file("lib%s.a" % ctx.label.name)
    _act(ctx, "Archive", archive, ctx.attr.archive_cost, 40000, depset(objects))
    deeper = [dep[SimInfo].archives for dep in ctx.attr.deps]
    archives = depset([archive], transitive = deeper)
    return [
        DefaultInfo(files = depset([archive])),
        SimInfo(archives = archives, headers = depset(ctx.files.hdrs)),
    ]

sim_library = rule(
    implementation = _library_impl,
    attrs = dict(
        _WORKER,
        srcs = attr.label_list(allow_files = [".cc"]),
        hdrs = attr.label_list(allow_files = [".h"]),
        costs = attr.string_list(doc = "of each source's compilation"),
        archive_cost = attr.string(mandatory = True),
        deps = attr.label_list(providers = [SimInfo]),
    ),
)

def _link_impl(ctx):
    output = ctx.actions.declare_file(ctx.label.name)
    archives = [dep[SimInfo].archives for dep in ctx.attr.deps]
    inputs = depset(ctx.files.libraries, transitive = archives)
    return [DefaultInfo(files = depset([_act(ctx, "Link", output, ctx.attr.cost, 400000, inputs)]))]

sim_link = rule(
    implementation = _link_impl,
    attrs = dict(
        _WORKER,
        cost = attr.string(mandatory = True),
        deps = attr.label_list(providers = [SimInfo]),
        libraries = attr.label_list(allow_files = True),
    ),
)

def _header_impl(ctx):
    output = ctx.actions.declare_file(ctx.label.name + ".h")
    inputs = depset(ctx.files._generator + ctx.files.srcs)
    return [DefaultInfo(files = depset([_act(ctx, "Generate", output, ctx.attr.cost, 2000, inputs)]))]

sim_header = rule(
    doc = "A header that a host tool makes, as protoc does.",
    implementation = _header_impl,
    attrs = dict(
        _WORKER,
        cost = attr.string(mandatory = True),
        srcs = attr.label_list(allow_files = True),
        _generator = attr.label(default = "//tensorflow/sim/host:generator", cfg = "host"),
    ),
)

"""The one collection of all tasks; importing it imports the module of each."""

import invoke

from tensorflow_macos_build.tasks import (
    bench,
    build,
    checks,
    ci,
    config,
    contents,
    docs,
    doctor,
    fuse,
    patches,
    plugins,
    rebase,
    release,
    release_index,
    relocate,
    self_tasks,
    site,
    smoke,
    upstream,
    verify,
    wheelhouse,
)

release.namespace.add_task(release_index.index)

namespace = invoke.Collection()
"""Every task of the tool, under the names that the command line uses."""

namespace.add_collection(build.namespace)
namespace.add_collection(ci.namespace)
namespace.add_collection(config.namespace)
namespace.add_collection(docs.collection(namespace))
namespace.add_collection(patches.namespace)
namespace.add_collection(plugins.namespace)
namespace.add_collection(rebase.namespace)
namespace.add_collection(release.namespace)
namespace.add_collection(self_tasks.namespace)
namespace.add_collection(smoke.namespace)
namespace.add_collection(upstream.namespace)
namespace.add_collection(verify.namespace)
namespace.add_task(bench.bench)
namespace.add_task(checks.changelog)
namespace.add_task(checks.lint)
namespace.add_task(checks.run_tests)
namespace.add_task(contents.contents)
namespace.add_task(doctor.task(namespace))
namespace.add_task(fuse.fuse)
namespace.add_task(fuse.retag)
namespace.add_task(fuse.thin)
namespace.add_task(relocate.relocate)
namespace.add_task(site.site)
namespace.add_task(wheelhouse.wheelhouse)

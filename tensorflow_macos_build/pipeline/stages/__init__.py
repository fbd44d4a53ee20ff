"""The stages of a build, one module a step of the walk from an upstream commit to dist/."""

"""One op run once in a graph of TensorFlow 1: what works on references, or lives for one step."""

import importlib
import re
from typing import Any, Dict, List, Set

from .calling import Call, Caller, Unprepared, as_device, count_of, result_of
from .values import Made, generator

STEP = re.compile(
    r"Stack(Push|Pop|Close)?V2|TensorArray\w*V3|TensorArrayGradWithShape|ParallelConcat"
)
"""Ops whose state goes with the step, which a call outside of graphs does not have in 2.4."""


def needs_session(op: str) -> bool:
    """Whether an op runs in a graph only: it takes a variable by reference, or needs a step."""
    registry = importlib.import_module("tensorflow.python.framework.op_def_registry")
    return bool(STEP.fullmatch(op)) or any(arg.is_ref for arg in registry.get(op).input_arg)


class SessionCaller(Caller):
    """Builds a graph of an op and what it needs, and runs it in a session, on one device."""

    def __init__(self, recipes: Dict[str, Dict[str, Any]], defaults: Any) -> None:
        super().__init__(recipes, defaults)
        library = importlib.import_module("tensorflow.python.framework.op_def_library")
        self._apply = library.apply_op
        kernels = importlib.import_module("tensorflow.python.framework.kernels")
        self._kernels = kernels.get_registered_kernels_for_op
        self._before: List[Any] = []
        self._initial: List[Any] = []
        self._references: List[Any] = []
        self._last: Any = None

    def call(self, op: str, types: Dict[str, str], device: str) -> Call:
        """Run an op, with these types, on a device such as `GPU:0`.

        Raises:
            Unprepared: the device has no kernel for an op that has to come before or after it.
            Exception: whatever TensorFlow raises where it does not take the graph.
        """
        random = generator(op + repr(sorted(types.items())))
        self._types, self._before, self._initial, self._references = {}, [], [], []
        with self._tf.Graph().as_default(), self._tf.device("/device:" + device):
            tensors, _, attrs = self._inputs(op, types, {}, random)
            with self._tf.control_dependencies(self._before):
                outputs = self._run(op, tensors, attrs)
            self._require_kernels(self._last, device)
            return self._result(outputs, self._last)

    def _require_kernels(self, operation: Any, device: str) -> None:
        """Check that the device has a kernel for each op of the graph that is there for another.

        Raises:
            Unprepared: it has none.
        """
        for helper in operation.graph.get_operations():
            placed = helper.device.endswith(as_device(device))
            if placed and helper is not operation and not self._has_kernel(helper, device):
                raise Unprepared("%s has no kernel for %s" % (helper.type, device))

    def _has_kernel(self, operation: Any, device: str) -> bool:
        kinds = (device.partition(":")[0], "DEFAULT")
        return any(
            kernel.device_type in kinds
            and all(
                operation.get_attr(named.name).as_datatype_enum in named.allowed_values.list.type
                for named in kernel.constraint
            )
            for kernel in self._kernels(operation.type).kernel
        )

    def _result(self, outputs: List[Any], operation: Any) -> Call:
        plain = [self._plain(output) for output in outputs]
        states = [self._plain(reference) for reference in self._references]
        with self._tf.compat.v1.Session(config=self._config()) as session:
            session.run(self._initial)
            fetched = session.run([p for p in plain if p is not None] + [operation])
            arrays = iter(fetched)
            results = [
                result_of(output, None if p is None else next(arrays))
                for output, p in zip(outputs, plain)
            ]
            results += [
                result_of(reference, array)
                for reference, array in zip(self._references, session.run(states))
            ]
        return Call(results, [operation.device])

    def _config(self) -> Any:
        """Return a session's settings: nothing placed elsewhere, no part of the graph rewritten."""
        config = self._tf.compat.v1.ConfigProto(allow_soft_placement=False)
        config.graph_options.optimizer_options.opt_level = -1
        config.graph_options.rewrite_options.disable_meta_optimizer = True
        return config

    def _run(self, op: str, tensors: List[Any], attrs: Dict[str, Any]) -> List[Any]:
        """Add an op to the graph, and return its outputs."""
        keywords: Dict[str, Any] = {}
        rest = list(tensors)
        inferred: Set[str] = set()
        for arg in self._definition(op).input_arg:
            count = count_of(arg, attrs)
            part, rest = rest[:count], rest[count:]
            keywords[arg.name] = part if arg.number_attr or arg.type_list_attr else part[0]
            inferred.update((arg.type_attr, arg.number_attr, arg.type_list_attr))
        unknown = self._tf.TensorShape(None)
        given = {name: unknown if value is None else value for name, value in attrs.items()}
        keywords.update({name: given[name] for name in given if name not in inferred})
        made = self._apply(op, **keywords)
        flat = self._tf.nest.flatten(made)
        self._last = flat[0] if hasattr(flat[0], "outputs") else flat[0].op
        return list(self._last.outputs)

    def _given(self, arg: Any, value: Any, dtype: str, attrs: Dict[str, Any], random: Any) -> Any:
        """Return what an argument is given: a variable where it takes one by reference."""
        tensor = self._tensor(value, dtype, attrs, random)
        if not arg.is_ref:
            return tensor
        number = self._tf.dtypes.as_dtype(dtype).as_datatype_enum
        shape = tensor.shape.as_list()
        named = {"container": "", "shared_name": "", "shape": shape, "dtype": number}
        reference = self._run("VariableV2", [], named)[0]
        assigned = {"T": number, "validate_shape": True, "use_locking": True}
        self._initial += self._run("Assign", [reference, tensor], assigned)
        self._references.append(reference)
        return reference

    def _made(self, value: Made, random: Any) -> Any:
        output = self._run_recipe(value.op, value.recipe, random)[value.output]
        for step in value.then:
            self._run_recipe(step.op, dict(step.recipe, **{step.argument: output}), random)
            self._before.append(self._last)
        return output

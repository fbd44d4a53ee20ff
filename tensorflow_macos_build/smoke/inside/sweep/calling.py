"""One op called once on one device, its inputs built from OpDef and recipe, its outputs read."""

import importlib
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from .comparing import Result
from .values import ANONYMOUS, ByType, Exact, Made, Variable, Within, generator, numbers

Call = NamedTuple("Call", [("outputs", List[Result]), ("devices", List[str])])
"""What a call gave: its outputs, then the variables it was given; and on which devices it ran."""

ATTRIBUTES = {"int": 1, "float": 0.5, "bool": False, "string": "", "shape": [2, 3]}
"""What an attribute is when neither the recipe nor the OpDef says."""

TYPES = ("float32", "int32", "string", "uint8", "qint8", "complex64", "bool", "resource", "variant")
"""Which type an attribute is when nothing decides it: the first of these that is allowed."""

_TYPE_NAMES = ("T", "dtype", "type", "elem_type", "element_dtype", "Tvalues")
"""What OpDefs call the type of the numbers that an op works on."""

_RESOURCE = 20
"""DT_RESOURCE (types.proto)."""

HANDLES = ("resource", "variant")
"""Types that have no numbers to read."""

_AS_NUMBERS = {
    "int4": "int8",
    "uint4": "uint8",
    "int2": "int8",
    "uint2": "uint8",
    "float4_e2m1fn": "float32",
}
"""Types that numpy has no room for: their numbers travel as these, and are cast on the way."""

_QUANTIZED = {
    "qint8": "int8",
    "quint8": "uint8",
    "qint16": "int16",
    "quint16": "uint16",
    "qint32": "int32",
}
"""Types whose bits are those of a plain integer."""


class Unprepared(Exception):
    """A device cannot do what comes before or after an op: make its list, read its variable.

    That is no fault of the op's kernel; where it is one of the other's, its own case says so.
    """


class Caller:
    """Calls ops by name, on a device, with inputs that depend on the case's name alone."""

    def __init__(self, recipes: Dict[str, Dict[str, Any]], defaults: Any) -> None:
        # Here, and not above: only a worker that has been forked may begin to compute.
        self._tf = importlib.import_module("tensorflow")
        python = "tensorflow.python."
        self._execute = importlib.import_module(python + "eager.execute").quick_execute
        self._context = importlib.import_module(python + "eager.context").context()
        self._definition = importlib.import_module(python + "framework.op_def_registry").get
        self._recipes = recipes
        self._defaults = defaults
        self._types: Dict[str, Any] = {}

    def call(self, op: str, types: Dict[str, str], device: str) -> Call:
        """Call an op, with these types, on a device such as `GPU:0`.

        Raises:
            Unprepared: an op that has to come before or after it fails.
            Exception: whatever TensorFlow raises where it does not take the call.
        """
        random = generator(op + repr(sorted(types.items())))
        with self._tf.device("/device:" + device):
            self._types = {}
            tensors, variables, attrs = self._inputs(op, types, {}, random)
            outputs = self._run(op, tensors, attrs)
            results = [self._read(output) for output in outputs]
            results += [
                self._read(self._value(handle, dtype))
                for handle, dtype in variables
                if dtype not in _QUANTIZED  # ReadVariableOp knows none of them
            ]
        return Call(results, [o.device for o in outputs if type_of(o) not in HANDLES])

    def _run(self, op: str, tensors: List[Any], attrs: Dict[str, Any]) -> List[Any]:
        definition = self._definition(op)
        flat = tuple(item for pair in attrs.items() for item in pair)
        count = sum(count_of(output, attrs) for output in definition.output_arg)
        return list(self._execute(op, count, tensors, flat, self._context))

    def _inputs(
        self, op: str, types: Dict[str, str], more: Dict[str, Any], random: Any
    ) -> Tuple[List[Any], List[Tuple[Any, str]], Dict[str, Any]]:
        """Return an op's tensors, the variables among them with their types, and its attributes."""
        definition = self._definition(op)
        if definition is None:
            raise LookupError("there is no OpDef of %s" % op)
        recipe = dict(self._recipes.get(op, {}), **more)
        attrs = self._attributes(definition, types, recipe)
        # What is made for an op, however deep, has the types of that op.
        self._types = self._types or {
            attr.name: attrs[attr.name] for attr in definition.attr if attr.type == "type"
        }
        tensors: List[Any] = []
        variables: List[Tuple[Any, str]] = []
        for arg in definition.input_arg:
            for value, dtype in self._values(op, arg, recipe, attrs):
                tensor = self._given(arg, value, dtype, attrs, random)
                tensors.append(tensor)
                if isinstance(value, Variable):
                    variables.append((tensor, value.dtype or _own_type(attrs)))
        return (
            tensors,
            variables,
            {name: _as_attr(self._tf, value) for name, value in attrs.items()},
        )

    def _attributes(
        self, definition: Any, types: Dict[str, str], recipe: Dict[str, Any]
    ) -> Dict[str, Any]:
        """Return every attribute's value; types by their names."""
        attrs: Dict[str, Any] = {}
        # Those that follow others come last.
        for attr in sorted(definition.attr, key=lambda a: isinstance(recipe.get(a.name), ByType)):
            name = attr.name
            if name not in types and isinstance(recipe.get(name), ByType):
                followed = attrs[recipe[name].attr]
                value = recipe[name].types.get(followed, followed)
                attrs[name] = value if attr.type == "type" else [value]
            elif name in types:
                attrs[name] = _listed(attr, types[name], recipe)
            elif name in recipe:
                attrs[name] = recipe[name]
            elif attr.HasField("default_value"):
                attrs[name] = _default(attr)
            elif attr.type == "type":
                allowed = [_type_name(number) for number in attr.allowed_values.list.type]
                attrs[name] = next((t for t in TYPES if not allowed or t in allowed), allowed[:1])
            else:
                attrs[name] = _usual(definition, attr, recipe)
        return attrs

    def _values(
        self, op: str, arg: Any, recipe: Dict[str, Any], attrs: Dict[str, Any]
    ) -> List[Tuple[Any, str]]:
        """Return an argument's values, one for each tensor, with their dtypes."""
        value = (
            recipe[arg.name]
            if arg.name in recipe
            else self._defaults(op, arg.name, arg.type == _RESOURCE)
        )
        if arg.number_attr:
            values = value if isinstance(value, list) else [value] * attrs[arg.number_attr]
            return [(each, _dtype(arg, attrs)) for each in values]
        if arg.type_list_attr:
            dtypes = attrs[arg.type_list_attr]
            values = value if isinstance(value, list) else [value] * len(dtypes)
            return list(zip(values, dtypes))
        return [(value, _dtype(arg, attrs))]

    def _given(self, arg: Any, value: Any, dtype: str, attrs: Dict[str, Any], random: Any) -> Any:
        """Return what an argument is given: here, a tensor of its dtype."""
        return self._tensor(value, dtype, attrs, random)

    def _tensor(self, value: Any, dtype: str, attrs: Dict[str, Any], random: Any) -> Any:
        if isinstance(value, Made):
            return self._made(value, random)
        if self._tf.is_tensor(value):
            return value
        if isinstance(value, Variable):
            content = (
                value.value if isinstance(value.value, (Exact, Within)) else tuple(value.value)
            )
            return self._variable(content, value.dtype or _own_type(attrs), random)
        return self._constant(numbers(value, _kind(dtype), random), dtype)

    def _made(self, value: Made, random: Any) -> Any:
        output = self._run_recipe(value.op, value.recipe, random)[value.output]
        for step in value.then:
            self._run_recipe(step.op, dict(step.recipe, **{step.argument: output}), random)
        return output

    def _run_recipe(self, op: str, recipe: Dict[str, Any], random: Any) -> List[Any]:
        """Call a helping op, with the types of the op that is helped where it names none."""
        main = next((self._types[name] for name in _TYPE_NAMES if name in self._types), "float32")
        known = dict(dict.fromkeys(_TYPE_NAMES, main), **self._types)
        known.update(recipe)
        names = [attr.name for attr in self._definition(op).attr if attr.type == "type"]
        types = {name: known[name] for name in names if name in known}
        tensors, _, attrs = self._inputs(op, types, recipe, random)
        return self._help(op, tensors, attrs)

    def _help(self, op: str, tensors: List[Any], attrs: Dict[str, Any]) -> List[Any]:
        """Call an op that prepares another's call, or reads what it has done."""
        try:
            return self._run(op, tensors, attrs)
        except Exception as error:
            raise Unprepared("%s: %s" % (op, error)) from error

    def _constant(self, array: Any, dtype: str) -> Any:
        """Return a tensor on the CPU: the op's device copies it, as it does in every program."""
        tf = self._tf
        with tf.device("/device:CPU:0"):
            if dtype in _QUANTIZED:
                plain = np.asarray(array).astype(_QUANTIZED[dtype])
                return tf.bitcast(tf.constant(plain), getattr(tf, dtype))
            if dtype in _AS_NUMBERS:
                plain = np.asarray(array).astype(_AS_NUMBERS[dtype])
                return tf.cast(tf.constant(plain), tf.dtypes.as_dtype(dtype))
            if dtype == "string":
                return tf.constant(array.tolist(), tf.string, shape=array.shape)
            wanted = tf.dtypes.as_dtype(dtype)
            return tf.constant(np.asarray(array).astype(wanted.as_numpy_dtype), wanted)

    def _variable(self, value: Any, dtype: str, random: Any) -> Any:
        content = self._constant(numbers(value, _kind(dtype), random), dtype)
        number = self._tf.dtypes.as_dtype(dtype).as_datatype_enum
        named = {"shared_name": ANONYMOUS, "container": "", "dtype": number}
        shape = content.shape.as_list()
        handle = self._help(
            "VarHandleOp", [], dict(named, shape=shape, **_known(self, "VarHandleOp"))
        )[0]
        attrs = dict({"dtype": number}, **_known(self, "AssignVariableOp"))
        self._help("AssignVariableOp", [handle, content], attrs)
        return handle

    def _value(self, handle: Any, dtype: str) -> Any:
        number = self._tf.dtypes.as_dtype(dtype).as_datatype_enum
        return self._help("ReadVariableOp", [handle], {"dtype": number})[0]

    def _read(self, tensor: Any) -> Result:
        """Return an output as numbers that numpy can compare."""
        plain = self._plain(tensor)
        return result_of(tensor, None if plain is None else plain.numpy())

    def _plain(self, tensor: Any) -> Any:
        """Return an output as a tensor of a type that numpy has; None for a handle."""
        tf, name = self._tf, type_of(tensor)
        if name in HANDLES:
            return None
        with tf.device("/device:CPU:0"):
            if name in _QUANTIZED:
                return tf.bitcast(tensor, getattr(tf, _QUANTIZED[name]))
            if name in _AS_NUMBERS:
                return tf.cast(tensor, getattr(tf, _AS_NUMBERS[name]))
        return tensor


def type_of(tensor: Any) -> str:
    """Return the name of a tensor's type, of a reference's the type that it refers to."""
    return str(tensor.dtype.base_dtype.name)


def result_of(tensor: Any, numbers_of: Any) -> Result:
    """Return an output's numbers, with the type of the tensor that they are of."""
    if numbers_of is None:
        return Result(type_of(tensor), None)
    array = np.asarray(numbers_of)
    # ml_dtypes' and TensorFlow's own types, which numpy does not compute with.
    return Result(type_of(tensor), array.astype(np.float32) if array.dtype.kind == "V" else array)


def _known(caller: Caller, op: str) -> Dict[str, Any]:
    """Return attributes that an op has in newer releases only."""
    names = {attr.name for attr in caller._definition(op).attr}
    newer: Dict[str, Any] = {"allowed_devices": [], "debug_name": "", "validate_shape": False}
    return {name: value for name, value in newer.items() if name in names}


def _usual(definition: Any, attr: Any, recipe: Dict[str, Any]) -> Any:
    """Return what an attribute is of which nothing is said: a list's length follows its recipe."""
    for arg in definition.input_arg:
        listed = recipe.get(arg.name)
        if attr.name in (arg.number_attr, arg.type_list_attr):
            count = len(listed) if isinstance(listed, list) else 2
            return count if attr.name == arg.number_attr else ["float32"] * count
    if attr.type.startswith("list("):
        return []
    return ATTRIBUTES.get(attr.type)


def _listed(attr: Any, dtype: str, recipe: Dict[str, Any]) -> Any:
    """Return a kernel's type as the attribute's value: a list where the attribute is one."""
    return dtype if attr.type == "type" else [dtype] * len(recipe.get(attr.name, [dtype]))


def _default(attr: Any) -> Any:
    """Return an OpDef's default as a Python value; types by their names."""
    value = attr.default_value
    kind = value.WhichOneof("value")
    if kind == "type":
        return _type_name(value.type)
    if kind == "shape":
        return None if value.shape.unknown_rank else [d.size for d in value.shape.dim]
    if kind == "list":
        if attr.type == "list(type)":
            return [_type_name(number) for number in value.list.type]
        field = {"list(int)": "i", "list(float)": "f", "list(bool)": "b", "list(string)": "s"}.get(
            attr.type
        )
        return list(getattr(value.list, field)) if field else []
    return getattr(value, kind) if kind else ATTRIBUTES.get(attr.type)


def _as_attr(tf: Any, value: Any) -> Any:
    """Return a value as TFE_Py_Execute takes it: types by their numbers."""
    if isinstance(value, list):
        return [_as_attr(tf, each) for each in value]
    if isinstance(value, str):
        try:
            return tf.dtypes.as_dtype(value).as_datatype_enum
        except TypeError:
            return value
    return value


def count_of(output: Any, attrs: Dict[str, Any]) -> int:
    if output.number_attr:
        return int(attrs[output.number_attr])
    return len(attrs[output.type_list_attr]) if output.type_list_attr else 1


def _dtype(arg: Any, attrs: Dict[str, Any]) -> str:
    return str(attrs[arg.type_attr]) if arg.type_attr else _type_name(arg.type)


def _type_name(number: int) -> str:
    dtypes = importlib.import_module("tensorflow.python.framework.dtypes")
    return str(dtypes.as_dtype(number).name)


def _own_type(attrs: Dict[str, Any]) -> str:
    """Return the type of the variables that an op takes: by the name that its OpDef uses."""
    return next((str(attrs[name]) for name in ("T", "dtype") if name in attrs), "float32")


def _kind(dtype: str) -> str:
    """Return how numbers of a type are drawn: f, c, i, b or s."""
    if dtype in ("bool", "string"):
        return dtype[0]
    if dtype.startswith("complex"):
        return "c"
    return "f" if dtype.startswith(("float", "bfloat", "half")) else "i"


def as_device(device: Optional[str]) -> str:
    """Return the end of a full device name, as `device:GPU:0`."""
    return "device:" + str(device)

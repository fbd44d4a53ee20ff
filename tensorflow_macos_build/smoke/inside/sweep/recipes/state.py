"""Variables, optimisers' steps, tables and arrays that live between calls."""

from ..values import ANONYMOUS, exact, made, then, variable

_TABLE_TYPES = dict(Tin="int64", Tout="float32", Tkeys="int64", Tvalues="float32")
_FILLED = then(
    "LookupTableInsertV2",
    "table_handle",
    keys=exact([1, 2]),
    values=exact([1.5, 2.5]),
    Tin="int64",
    Tout="float32",
)
_TABLE = made("MutableHashTableV2", _FILLED, key_dtype="int64", value_dtype="float32")
_FLOW = exact(0.0)
_EMPTY_ARRAY = made("TensorArrayV3", size=exact(2), element_shape=[3])
_ARRAY = made(
    "TensorArrayV3",
    then("TensorArrayScatterV3", "handle", indices=exact([0, 1]), value=(2, 3), flow_in=_FLOW),
    size=exact(2),
    element_shape=[3],
)
_STACK = made("StackV2", then("StackPushV2", "handle", elem=(2, 3)), max_size=exact(4))
_ROWS = dict(grad=(2, 3), indices=exact([2, 0]))

RECIPES = {
    "ApplyGradientDescent ApplyProximalGradientDescent": dict(delta=(4, 3)),
    "CountUpTo": dict(ref=exact(3), limit=9),
    "ScatterAdd ScatterDiv ScatterMax ScatterMin ScatterMul ScatterSub ScatterUpdate": dict(
        indices=exact([3, 0]), updates=(2, 3)
    ),
    "ScatterNdAdd ScatterNdMax ScatterNdMin ScatterNdSub ScatterNdUpdate": dict(
        indices=exact([[3], [0]]), updates=(2, 3)
    ),
    "StridedSliceAssign": dict(
        begin=exact([0, 1]), end=exact([4, 3]), strides=exact([1, 1]), value=(4, 2)
    ),
    "SparseApplyAdadelta SparseApplyAdagrad SparseApplyAdagradDA SparseApplyAdagradV2": _ROWS,
    "SparseApplyCenteredRMSProp SparseApplyFtrl SparseApplyFtrlV2 SparseApplyMomentum": _ROWS,
    "SparseApplyProximalAdagrad SparseApplyProximalGradientDescent SparseApplyRMSProp": _ROWS,
    "AssignVariableOp AssignAddVariableOp AssignSubVariableOp": dict(value=(4, 3)),
    "VarHandleOp": dict(shape=[2, 3], shared_name=ANONYMOUS),
    "ResourceApplyGradientDescent ResourceApplyProximalGradientDescent": dict(delta=(4, 3)),
    "ResourceSparseApplyAdadelta ResourceSparseApplyAdagrad ResourceSparseApplyAdagradDA": _ROWS,
    "ResourceSparseApplyAdagradV2 ResourceSparseApplyCenteredRMSProp": _ROWS,
    "ResourceSparseApplyFtrl ResourceSparseApplyFtrlV2 ResourceSparseApplyKerasMomentum": _ROWS,
    "ResourceSparseApplyMomentum ResourceSparseApplyProximalAdagrad": _ROWS,
    "ResourceSparseApplyProximalGradientDescent ResourceSparseApplyRMSProp": _ROWS,
    "ResourceCountUpTo": dict(resource=variable(exact(3)), limit=9),
    "ResourceGather": dict(indices=exact([3, 0])),
    "ResourceGatherNd": dict(indices=exact([[3, 0], [0, 2]])),
    "ResourceScatterAdd ResourceScatterDiv ResourceScatterMax ResourceScatterMin": dict(
        indices=exact([3, 0]), updates=(2, 3)
    ),
    "ResourceScatterMul ResourceScatterSub ResourceScatterUpdate": dict(
        indices=exact([3, 0]), updates=(2, 3)
    ),
    "ResourceScatterNdAdd ResourceScatterNdMax ResourceScatterNdMin": dict(
        indices=exact([[3], [0]]), updates=(2, 3)
    ),
    "ResourceScatterNdSub ResourceScatterNdUpdate": dict(indices=exact([[3], [0]]), updates=(2, 3)),
    "ResourceStridedSliceAssign": dict(
        begin=exact([0, 1]), end=exact([4, 3]), strides=exact([1, 1]), value=(4, 2)
    ),
    "MutableHashTableOfTensorsV2 AnonymousMutableHashTableOfTensors": dict(value_shape=[2]),
    "MutableDenseHashTableV2 AnonymousMutableDenseHashTable": dict(
        empty_key=exact(0), deleted_key=exact(9)
    ),
    "LookupTableSizeV2 LookupTableExportV2": dict(table_handle=_TABLE, **_TABLE_TYPES),
    "LookupTableFindV2": dict(
        table_handle=_TABLE, keys=exact([2, 7]), default_value=(), **_TABLE_TYPES
    ),
    "LookupTableInsertV2 LookupTableImportV2": dict(
        table_handle=_TABLE, keys=exact([2, 7]), values=(2,), **_TABLE_TYPES
    ),
    "LookupTableRemoveV2": dict(table_handle=_TABLE, keys=exact([2]), **_TABLE_TYPES),
    "InitializeTableV2": dict(
        table_handle=made("HashTableV2", key_dtype="int64", value_dtype="float32"),
        keys=exact([1, 2]),
        values=(2,),
        Tkey="int64",
        Tval="float32",
    ),
    "TensorArrayV3": dict(size=exact(2)),
    "TensorArraySizeV3": dict(handle=_ARRAY, flow_in=_FLOW),
    "TensorArrayCloseV3": dict(handle=_ARRAY),
    "TensorArrayGradV3": dict(handle=_ARRAY, flow_in=_FLOW, source="gradient"),
    "TensorArrayGradWithShape": dict(
        handle=_ARRAY, flow_in=_FLOW, source="gradient", shape_to_prepend=exact([2])
    ),
    "TensorArrayReadV3": dict(handle=_ARRAY, index=exact(1), flow_in=_FLOW),
    "TensorArrayGatherV3": dict(handle=_ARRAY, indices=exact([1, 0]), flow_in=_FLOW),
    "TensorArrayConcatV3": dict(handle=_ARRAY, flow_in=_FLOW),
    "TensorArrayWriteV3": dict(handle=_EMPTY_ARRAY, index=exact(0), value=(3,), flow_in=_FLOW),
    "TensorArrayScatterV3": dict(
        handle=_EMPTY_ARRAY, indices=exact([1, 0]), value=(2, 3), flow_in=_FLOW
    ),
    "TensorArraySplitV3": dict(
        handle=made("TensorArrayV3", size=exact(2)),
        value=(3, 2),
        lengths=exact([1, 2]),
        flow_in=_FLOW,
    ),
    "StackV2": dict(max_size=exact(4)),
    "StackPushV2": dict(handle=made("StackV2", max_size=exact(4)), elem=(2, 3)),
    "StackPopV2 StackCloseV2": dict(handle=_STACK),
}

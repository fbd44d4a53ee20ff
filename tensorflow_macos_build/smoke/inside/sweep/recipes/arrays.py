"""Ops that move, cut, join, gather and scatter numbers."""

from ..values import by_type, exact, made, within

_SHAPE = exact([2, 3])
_ONE = exact([[1], [0]])

RECIPES = {
    "AddN": dict(N=3),
    "BatchMatrixDiag BatchMatrixDiagPart Diag MatrixDiag": {},
    "BatchMatrixSetDiag MatrixSetDiag": dict(input=(3, 3), diagonal=(3,)),
    "DiagPart MatrixDiagPart": dict(input=(3, 3)),
    "MatrixDiagPartV2 MatrixDiagPartV3": dict(input=(3, 3), k=exact(0), padding_value=()),
    "MatrixDiagV2 MatrixDiagV3": dict(
        diagonal=(3,), k=exact(0), num_rows=exact(3), num_cols=exact(3), padding_value=()
    ),
    "MatrixSetDiagV2 MatrixSetDiagV3": dict(input=(3, 3), diagonal=(3,), k=exact(0)),
    "MatrixBandPart BatchMatrixBandPart": dict(
        input=(3, 3), num_lower=exact(1), num_upper=exact(0)
    ),
    "BatchToSpace": dict(input=(4, 1, 2, 2), crops=exact([[0, 0], [0, 0]]), block_size=2),
    "BatchToSpaceND": dict(
        input=(4, 1, 2, 2), block_shape=exact([2, 2]), crops=exact([[0, 0], [0, 0]])
    ),
    "SpaceToBatch": dict(input=(1, 2, 2, 2), paddings=exact([[0, 0], [0, 0]]), block_size=2),
    "SpaceToBatchND": dict(
        input=(1, 2, 2, 2), block_shape=exact([2, 2]), paddings=exact([[0, 0], [0, 0]])
    ),
    "DepthToSpace": dict(input=(1, 2, 2, 4), block_size=2),
    "SpaceToDepth": dict(input=(1, 2, 2, 4), block_size=2),
    "BroadcastArgs BroadcastGradientArgs": dict(s0=exact([1, 3]), s1=exact([2, 1])),
    "BroadcastTo": dict(input=(1, 3), shape=exact([2, 3])),
    "Concat": dict(concat_dim=exact(0), values=(2, 3), N=2),
    "ConcatOffset": dict(concat_dim=exact(0), shape=exact([2, 3]), N=2),
    "ConcatV2": dict(values=(2, 3), N=2, axis=exact(1)),
    "ConjugateTranspose Transpose": dict(x=(2, 3), perm=exact([1, 0])),
    "InvertPermutation": dict(x=exact([2, 0, 1])),
    "DataFormatDimMap": dict(x=exact([0, 1, 2, 3])),
    "DataFormatVecPermute": dict(x=exact([1, 2, 3, 4])),
    "DynamicPartition": dict(data=(4, 3), partitions=exact([0, 1, 0, 1]), num_partitions=2),
    "DynamicStitch ParallelDynamicStitch": dict(
        indices=[exact([0, 2]), exact([1, 3])], data=[(2, 3), (2, 3)], N=2
    ),
    "Empty": dict(shape=_SHAPE, init=True),
    "EnsureShape": dict(input=(2, 3), shape=[2, 3]),
    "ExpandDims": dict(input=(2, 3), dim=exact(1)),
    "Fill": dict(dims=_SHAPE, value=()),
    "Gather": dict(params=(4, 3), indices=exact([3, 0, 1])),
    "GatherNd": dict(params=(4, 3), indices=exact([[3, 0], [0, 2]])),
    "GatherV2": dict(params=(4, 3), indices=exact([2, 0]), axis=exact(1)),
    "InplaceAdd InplaceSub InplaceUpdate": dict(x=(4, 3), i=exact([1, 0]), v=(2, 3)),
    "LinSpace": dict(start=exact(0.5), stop=exact(2.5), num=exact(5)),
    "ListDiff": dict(x=exact([1, 2, 3, 4]), y=exact([2, 4])),
    "LowerBound UpperBound": dict(
        sorted_inputs=exact([[1, 2, 3], [2, 4, 6]]), values=exact([[2, 3], [1, 6]])
    ),
    "MirrorPad": dict(input=(3, 4), paddings=exact([[1, 1], [0, 2]]), mode="REFLECT"),
    "MirrorPadGrad": dict(input=(5, 6), paddings=exact([[1, 1], [0, 2]]), mode="REFLECT"),
    "OneHot": dict(indices=exact([0, 2, 1]), depth=exact(4), on_value=(), off_value=()),
    "Pack": dict(values=(2, 3), N=2, axis=1),
    "Pad": dict(input=(2, 3), paddings=exact([[1, 0], [0, 2]])),
    "PadV2": dict(input=(2, 3), paddings=exact([[1, 0], [0, 2]]), constant_values=()),
    "ParallelConcat": dict(values=(1, 3), N=2, shape=[2, 3]),
    "PlaceholderWithDefault": dict(input=(2, 3), shape=[2, 3]),
    "Range": dict(start=exact(1), limit=exact(9), delta=exact(2)),
    "Reshape": dict(tensor=(2, 3), shape=exact([3, -1])),
    "Reverse": dict(tensor=(2, 3), dims=exact([True, False])),
    "ReverseV2": dict(tensor=(2, 3), axis=exact([1])),
    "ReverseSequence": dict(input=(2, 4), seq_lengths=exact([3, 2]), seq_dim=1, batch_dim=0),
    "Roll": dict(input=(2, 3), shift=exact(1), axis=exact(1)),
    "ScatterNd": dict(indices=exact([[1], [3]]), updates=(2, 3), shape=exact([4, 3])),
    "ScatterNdNonAliasingAdd": dict(input=(4, 3), indices=_ONE, updates=(2, 3)),
    "TensorScatterAdd TensorScatterMax TensorScatterMin TensorScatterSub TensorScatterUpdate": dict(
        tensor=(4, 3), indices=_ONE, updates=(2, 3)
    ),
    "SegmentMax SegmentMean SegmentMin SegmentProd SegmentSum": dict(
        data=(4, 3), segment_ids=exact([0, 0, 1, 2])
    ),
    "UnsortedSegmentMax UnsortedSegmentMin UnsortedSegmentProd UnsortedSegmentSum": dict(
        data=(4, 3), segment_ids=exact([2, 0, 0, 1]), num_segments=exact(3)
    ),
    "Select": dict(condition=(2, 3), t=(2, 3), e=(2, 3)),
    "SelectV2": dict(condition=(1, 3), t=(2, 3), e=(2, 1)),
    "ShapeN": dict(N=2),
    "Slice": dict(input=(3, 4), begin=exact([1, 0]), size=exact([2, 3])),
    "Split": dict(split_dim=exact(1), value=(2, 4), num_split=2),
    "SplitV": dict(value=(2, 4), size_splits=exact([1, 3]), split_dim=exact(1), num_split=2),
    "Squeeze": dict(input=(1, 3)),
    "StridedSlice": dict(
        input=(3, 4), begin=exact([0, 1]), end=exact([3, 4]), strides=exact([1, 2])
    ),
    "StridedSliceGrad": dict(
        shape=exact([3, 4]),
        begin=exact([0, 1]),
        end=exact([3, 4]),
        strides=exact([1, 2]),
        dy=(3, 2),
    ),
    "TensorStridedSliceUpdate": dict(
        input=(3, 4), begin=exact([0, 1]), end=exact([3, 4]), strides=exact([1, 2]), value=(3, 2)
    ),
    "Tile": dict(input=(2, 3), multiples=exact([2, 1])),
    "TileGrad": dict(input=(4, 3), multiples=exact([2, 1])),
    "Unique UniqueWithCounts": dict(x=exact([1, 2, 1, 3, 2])),
    "UniqueV2 UniqueWithCountsV2": dict(x=exact([1, 2, 1, 3, 2]), axis=exact([0])),
    "Unpack": dict(value=(2, 3), num=2),
    "UnravelIndex": dict(indices=exact([5, 1]), dims=exact([2, 3])),
    "Where": dict(input=exact([[0, 1, 0], [1, 0, 1]])),
    "Bitcast": dict(input=(2, 4)),
    "_ParallelConcatStart": dict(shape=[2, 3]),
    "IdentityN": dict(T=["float32", "int32"]),
    "Assert": dict(condition=exact(True), T=["float32", "int32"]),
    "RaggedGather": dict(
        params_nested_splits=[exact([0, 2, 4])],
        PARAMS_RAGGED_RANK=1,
        OUTPUT_RAGGED_RANK=1,
        params_dense_values=(4, 3),
        indices=exact([1, 0]),
    ),
    "RaggedRange": dict(starts=exact([0, 1]), limits=exact([3, 5]), deltas=exact([1, 2])),
    "RaggedTensorToSparse": dict(
        rt_nested_splits=[exact([0, 2, 4])], RAGGED_RANK=1, rt_dense_values=(4,)
    ),
    "RaggedTensorToTensor": dict(
        shape=exact([2, 3]),
        values=(4,),
        default_value=(),
        row_partition_tensors=[exact([0, 2, 4])],
        num_row_partition_tensors=1,
        row_partition_types=["ROW_SPLITS"],
    ),
    "RaggedTensorToVariant": dict(
        rt_nested_splits=[exact([0, 2, 4])], RAGGED_RANK=1, rt_dense_values=(4,), batched_input=True
    ),
    "RaggedTensorFromVariant": dict(
        encoded_ragged=made(
            "RaggedTensorToVariant",
            rt_nested_splits=[exact([0, 2, 4])],
            RAGGED_RANK=1,
            rt_dense_values=(4,),
            batched_input=True,
        ),
        input_ragged_rank=0,
        output_ragged_rank=1,
    ),
    "RaggedTensorToVariantGradient": dict(
        encoded_ragged_grad=made(
            "RaggedTensorToVariant",
            rt_nested_splits=[exact([0, 2, 4])],
            RAGGED_RANK=1,
            rt_dense_values=(4,),
            batched_input=True,
        ),
        row_splits=exact([0, 2, 4]),
        dense_values_shape=exact([4]),
    ),
    "RaggedCross": dict(
        ragged_values=[exact([1, 2, 3])],
        ragged_values_types=["int64"],
        ragged_row_splits=[exact([0, 2, 3])],
        ragged_splits_types=by_type("out_row_splits_type"),
        sparse_indices=[],
        sparse_values=[],
        sparse_values_types=[],
        sparse_shape=[],
        Nsparse=0,
        dense_inputs=[],
        dense_types=[],
        input_order="R",
        hashed_output=False,
        num_buckets=0,
        hash_key=7,
        out_values_type="string",
    ),
    "RaggedFillEmptyRows": dict(
        value_rowids=exact([0, 2]), values=(2,), nrows=exact(3), default_value=()
    ),
    "RaggedFillEmptyRowsGrad": dict(reverse_index_map=exact([0, 2]), grad_values=(3,)),
    "RaggedBincount": dict(
        splits=exact([0, 2, 4]), values=exact([0, 1, 1, 2]), size=exact(3), weights=(4,)
    ),
    "RaggedCountSparseOutput": dict(
        splits=exact([0, 2, 4]), values=exact([0, 1, 1, 2]), weights=(4,), binary_output=False
    ),
    "Bincount": dict(arr=exact([0, 1, 1, 2]), size=exact(3), weights=(4,)),
    "DenseBincount": dict(input=exact([0, 1, 1, 2]), size=exact(3), weights=(4,)),
    "DenseCountSparseOutput": dict(values=exact([0, 1, 1, 2]), weights=(4,), binary_output=False),
    "SparseBincount": dict(
        indices=exact([[0], [1], [2]]),
        values=exact([1, 0, 1]),
        dense_shape=exact([3]),
        size=exact(3),
        weights=(3,),
    ),
    "SparseCountSparseOutput": dict(
        indices=exact([[0], [1], [2]]),
        values=exact([1, 0, 1]),
        dense_shape=exact([3]),
        weights=(3,),
        binary_output=False,
    ),
    "Bucketize": dict(boundaries=[-1.0, 0.5, 3.0]),
    "HistogramFixedWidth": dict(values=(2, 3), value_range=exact([-2, 2]), nbins=exact(4)),
    "NthElement": dict(input=(2, 4), n=exact(2)),
    "TopK ApproxTopK": dict(input=(2, 4), k=2),
    "TopKV2": dict(input=(2, 4), k=exact(2)),
    "InTopK": dict(predictions=(2, 4), targets=exact([1, 3]), k=2),
    "InTopKV2": dict(predictions=(2, 4), targets=exact([1, 3]), k=exact(2)),
    "CompareAndBitpack": dict(input=(2, 8), threshold=()),
    "CheckNumerics CheckNumericsV2": dict(message="a number"),
    "IsotonicRegression": dict(input=(2, 4)),
    "TensorListFromTensor": dict(tensor=(2, 3), element_shape=exact([3])),
    "EmptyTensorList": dict(element_shape=exact([3]), max_num_elements=exact(4)),
    "Fingerprint": dict(data=(2, 3), method=exact(b"farmhash64")),
    "Cast": dict(x=within(0, 2, 2, 3)),
}

_LIST = made("TensorListFromTensor", tensor=(2, 3), element_shape=exact([3]))

RECIPES.update(
    {
        "TensorListConcat": dict(input_handle=_LIST, element_shape=[3]),
        "TensorListConcatV2": dict(
            input_handle=_LIST, element_shape=exact([3]), leading_dims=exact([])
        ),
        "TensorListConcatLists": dict(input_a=_LIST, input_b=_LIST),
        "TensorListElementShape TensorListLength": dict(input_handle=_LIST),
        "TensorListGather": dict(
            input_handle=_LIST, indices=exact([1, 0]), element_shape=exact([3])
        ),
        "TensorListGetItem": dict(input_handle=_LIST, index=exact(1), element_shape=exact([3])),
        "TensorListPopBack TensorListStack": dict(input_handle=_LIST, element_shape=exact([3])),
        "TensorListPushBack": dict(input_handle=_LIST, tensor=(3,)),
        "TensorListReserve": dict(element_shape=exact([3]), num_elements=exact(2)),
        "TensorListResize": dict(input_handle=_LIST, size=exact(3)),
        "TensorListScatter": dict(tensor=(2, 3), indices=exact([1, 0]), element_shape=exact([3])),
        "TensorListScatterIntoExistingList": dict(
            input_handle=_LIST, tensor=(2, 3), indices=exact([1, 0])
        ),
        "TensorListScatterV2": dict(
            tensor=(2, 3), indices=exact([1, 0]), element_shape=exact([3]), num_elements=exact(3)
        ),
        "TensorListSetItem": dict(input_handle=_LIST, index=exact(1), item=(3,)),
        "TensorListSplit": dict(tensor=(4, 3), element_shape=exact([-1, 3]), lengths=exact([1, 3])),
        "TensorListPushBackBatch": dict(
            input_handles=made("Pack", values=[_LIST, _LIST], N=2, T="variant", axis=0),
            tensor=(2, 3),
        ),
    }
)

_MAP = made(
    "TensorMapInsert",
    input_handle=made("EmptyTensorMap"),
    key=exact(1),
    value=(3,),
    key_dtype="int32",
    value_dtype="float32",
)

RECIPES.update(
    {
        "TensorMapInsert": dict(input_handle=made("EmptyTensorMap"), key=exact(1), value=(3,)),
        "TensorMapErase TensorMapHasKey TensorMapLookup": dict(
            input_handle=_MAP, key=exact(1), key_dtype="int32", value_dtype="float32"
        ),
        "TensorMapSize TensorMapStackKeys": dict(input_handle=_MAP, key_dtype="int32"),
    }
)

"""Sparse tensors: their sums, products, sections, sets, and compressed rows."""

from ..values import by_type, exact, made, within

_INDICES = exact([[0, 0], [1, 2]])
_SHAPE = exact([2, 3])
_A = dict(a_indices=_INDICES, a_values=(2,), a_shape=_SHAPE)
_B = dict(b_indices=exact([[0, 0], [0, 1]]), b_values=(2,), b_shape=_SHAPE)
_INPUT = dict(input_indices=_INDICES, input_values=(2,), input_shape=_SHAPE)
_SPARSE = dict(sparse_indices=_INDICES, sparse_values=(2,), sparse_shape=_SHAPE)
_SP = dict(sp_indices=_INDICES, sp_values=(2,), sp_shape=_SHAPE)
_PLAIN = dict(indices=_INDICES, values=(2,), shape=_SHAPE)
_SEGMENTS = dict(indices=exact([0, 2, 1]), segment_ids=exact([0, 0, 1]))
_SETS = dict(
    set1_indices=_INDICES,
    set1_values=(2,),
    set1_shape=_SHAPE,
    set2_indices=_INDICES,
    set2_values=(2,),
    set2_shape=_SHAPE,
    set_operation="union",
)
_ROWS = made(
    "SparseTensorToCSRSparseMatrix",
    indices=exact([[0, 0], [1, 1], [2, 2], [1, 0]]),
    values=exact([4, 5, 6, 1]),
    dense_shape=exact([3, 3]),
)
_DIAGONAL = made(
    "SparseTensorToCSRSparseMatrix",
    indices=exact([[0, 0], [1, 1], [2, 2]]),
    values=exact([4, 5, 6]),
    dense_shape=exact([3, 3]),
)
_CROSSED = dict(
    indices=[_INDICES, _INDICES],
    values=[(2,), (2,)],
    shapes=[_SHAPE, _SHAPE],
    N=2,
    dense_inputs=[],
    dense_types=[],
    sparse_types=["string", "string"],
)

_ADDED = made("AddSparseToTensorsMap", shared_name="sweep", **_SPARSE)

RECIPES = {
    "AddManySparseToTensorsMap AddSparseToTensorsMap SerializeSparse SerializeManySparse": _SPARSE,
    "TakeManySparseFromTensorsMap": dict(
        sparse_handles=made("Pack", T="int64", N=1, axis=0, values=[_ADDED]),
        shared_name="sweep",
    ),
    "DeserializeSparse": dict(
        serialized_sparse=made("SerializeSparse", out_type="string", **_SPARSE)
    ),
    "DeserializeManySparse": dict(
        serialized_sparse=made("SerializeManySparse", out_type="string", **_SPARSE)
    ),
    "SparseAdd": dict(
        _A, thresh=exact(0), Treal=by_type("T", complex64="float32", complex128="float64"), **_B
    ),
    "SparseAddGrad": dict(
        backprop_val_grad=(3,),
        a_indices=_INDICES,
        b_indices=exact([[0, 0], [0, 1]]),
        sum_indices=exact([[0, 0], [0, 1], [1, 2]]),
    ),
    "SparseConcat": dict(
        indices=[_INDICES, _INDICES],
        values=[(2,), (2,)],
        shapes=[_SHAPE, _SHAPE],
        N=2,
        concat_dim=0,
    ),
    "SparseCross": dict(
        _CROSSED,
        hashed_output=False,
        num_buckets=0,
        hash_key=7,
        out_type="string",
        internal_type="string",
    ),
    "SparseCrossV2": dict(_CROSSED, sep=exact(b"_")),
    "SparseCrossHashed": dict(
        _CROSSED, num_buckets=exact(5), strong_hash=exact(False), salt=exact([1, 2])
    ),
    "SparseDenseCwiseAdd SparseDenseCwiseDiv SparseDenseCwiseMul": dict(
        _SP, dense=within(1, 5, 2, 3)
    ),
    "SparseFillEmptyRows": dict(
        indices=exact([[0, 0], [2, 1]]), values=(2,), dense_shape=exact([3, 3]), default_value=()
    ),
    "SparseFillEmptyRowsGrad": dict(reverse_index_map=exact([0, 2]), grad_values=(3,)),
    "SparseReduceMax SparseReduceMaxSparse SparseReduceSum SparseReduceSumSparse": dict(
        _INPUT, reduction_axes=exact([1])
    ),
    "SparseReorder": dict(_INPUT, input_indices=exact([[1, 2], [0, 0]])),
    "SparseReshape": dict(input_indices=_INDICES, input_shape=_SHAPE, new_shape=exact([3, 2])),
    "SparseSegmentMean SparseSegmentSqrtN SparseSegmentSum": dict(_SEGMENTS, data=(4, 3)),
    "SparseSegmentMeanWithNumSegments SparseSegmentSqrtNWithNumSegments": dict(
        _SEGMENTS, data=(4, 3), num_segments=exact(3)
    ),
    "SparseSegmentSumWithNumSegments": dict(_SEGMENTS, data=(4, 3), num_segments=exact(3)),
    "SparseSegmentMeanGrad SparseSegmentSqrtNGrad SparseSegmentSumGrad": dict(
        _SEGMENTS, grad=(2, 3), output_dim0=exact(4)
    ),
    "SparseSegmentMeanGradV2 SparseSegmentSqrtNGradV2 SparseSegmentSumGradV2": dict(
        _SEGMENTS, grad=(2, 3), dense_output_dim0=exact(4)
    ),
    "SparseSlice": dict(_PLAIN, start=exact([0, 0]), size=exact([1, 3])),
    "SparseSliceGrad": dict(
        backprop_val_grad=(1,),
        input_indices=_INDICES,
        input_start=exact([0, 0]),
        output_indices=exact([[0, 0]]),
    ),
    "SparseSoftmax": _SP,
    "SparseSparseMaximum SparseSparseMinimum": dict(_A, **_B),
    "SparseSplit": dict(_PLAIN, split_dim=exact(1), num_split=2),
    "SparseTensorDenseAdd": dict(_A, b=(2, 3)),
    "SparseTensorDenseMatMul": dict(_A, b=(3, 4)),
    "SparseToDense": dict(
        sparse_indices=_INDICES, output_shape=_SHAPE, sparse_values=(2,), default_value=()
    ),
    "SparseToSparseSetOperation": _SETS,
    "DenseToSparseSetOperation": dict(_SETS, set1=(2, 3)),
    "DenseToDenseSetOperation": dict(set1=(2, 3), set2=(2, 3), set_operation="union"),
    "SetSize": dict(set_indices=_INDICES, set_values=(2,), set_shape=_SHAPE),
    "SparseTensorToCSRSparseMatrix": dict(indices=_INDICES, values=(2,), dense_shape=_SHAPE),
    "DenseToCSRSparseMatrix": dict(dense_input=(2, 3), indices=_INDICES),
    "CSRSparseMatrixComponents": dict(csr_sparse_matrix=_ROWS, index=exact(0)),
    "CSRSparseMatrixToDense": dict(sparse_input=_ROWS),
    "CSRSparseMatrixToSparseTensor": dict(sparse_matrix=_ROWS),
    "SparseMatrixAdd": dict(a=_ROWS, b=_ROWS, alpha=exact(1), beta=exact(2)),
    "SparseMatrixMatMul": dict(a=_ROWS, b=(3, 2)),
    "SparseMatrixMul": dict(a=_ROWS, b=()),
    "SparseMatrixNNZ": dict(
        sparse_matrix=made(
            "SparseTensorToCSRSparseMatrix", indices=_INDICES, values=(2,), dense_shape=_SHAPE
        )
    ),
    "SparseMatrixOrderingAMD": dict(
        input=made(
            "SparseTensorToCSRSparseMatrix",
            indices=exact([[0, 0], [1, 1]]),
            values=(2,),
            dense_shape=exact([2, 2]),
        )
    ),
    "SparseMatrixSoftmax": dict(logits=_ROWS),
    "SparseMatrixSoftmaxGrad": dict(softmax=_ROWS, grad_softmax=_ROWS),
    "SparseMatrixSparseCholesky": dict(input=_DIAGONAL, permutation=exact([0, 1, 2])),
    "SparseMatrixSparseMatMul": dict(a=_ROWS, b=_ROWS),
    "SparseMatrixTranspose": dict(input=_ROWS),
    "SparseMatrixZeros": dict(dense_shape=exact([3, 3])),
}

"""Products, factors and solutions of matrices."""

from ..values import by_type, exact, within

_SYMMETRIC = exact([[4, 1, 0], [1, 5, 2], [0, 2, 6]])
"""Positive definite, with eigenvalues well apart, so that factors are unique but for signs."""

_LOWER = exact([[2, 0, 0], [1, 3, 0], [1, 2, 4]])

RECIPES = {
    "MatMul SparseMatMul": dict(a=(3, 4), b=(4, 5)),
    "_FusedMatMul": dict(
        a=(3, 4), b=(4, 5), args=[(5,)], num_args=1, fused_ops=["BiasAdd"], epsilon=0.0
    ),
    "BatchMatMul BatchMatMulV2 BatchMatMulV3": dict(x=(2, 3, 4), y=(2, 4, 5)),
    "BandedTriangularSolve": dict(matrix=exact([[2, 3, 4], [0, 1, 1]]), rhs=(3, 2)),
    "Cholesky BatchCholesky SelfAdjointEig SelfAdjointEigV2": dict(input=_SYMMETRIC),
    "BatchSelfAdjointEig BatchSelfAdjointEigV2 Svd BatchSvd Qr Lu": dict(input=_SYMMETRIC),
    "CholeskyGrad BatchCholeskyGrad": dict(l=_LOWER, grad=(3, 3)),
    "MatrixDeterminant BatchMatrixDeterminant LogMatrixDeterminant": dict(input=_SYMMETRIC),
    "MatrixInverse BatchMatrixInverse MatrixExponential": dict(input=_SYMMETRIC),
    "MatrixLogarithm MatrixSquareRoot": dict(input=_SYMMETRIC),
    "MatrixSolve BatchMatrixSolve": dict(matrix=_SYMMETRIC, rhs=(3, 2)),
    "MatrixSolveLs BatchMatrixSolveLs": dict(
        matrix=_SYMMETRIC, rhs=(3, 2), l2_regularizer=exact(0.1)
    ),
    "MatrixTriangularSolve BatchMatrixTriangularSolve": dict(matrix=_LOWER, rhs=(3, 2)),
    "ComplexAbs": dict(Tout=by_type("T", complex64="float32", complex128="float64")),
    "Eig": dict(input=_SYMMETRIC, Tout=by_type("T", float32="complex64", float64="complex128")),
    "Complex": dict(real=within(-1, 1, 2, 3), imag=within(-1, 1, 2, 3)),
}

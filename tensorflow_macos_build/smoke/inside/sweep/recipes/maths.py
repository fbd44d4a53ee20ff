"""Elementwise mathematics and reductions, on the intervals where the functions are defined."""

from ..values import exact, within

_POSITIVE = within(0.1, 0.9, 2, 3)
_DIVISOR = within(1, 5, 2, 3)

RECIPES = {
    "Acosh": dict(x=within(1.1, 4, 2, 3)),
    "Acos Asin Atanh Erfinv": dict(x=within(-0.9, 0.9, 2, 3)),
    "Ndtri": dict(x=_POSITIVE),
    "Log Log1p Sqrt Rsqrt Lgamma Digamma Dawsn Expint FresnelCos FresnelSin Spence": dict(
        x=_POSITIVE
    ),
    "BesselI0 BesselI0e BesselI1 BesselI1e BesselJ0 BesselJ1": dict(x=_POSITIVE),
    "BesselK0 BesselK0e BesselK1 BesselK1e BesselY0 BesselY1": dict(x=_POSITIVE),
    "Inv Reciprocal": dict(x=_DIVISOR),
    "InvGrad ReciprocalGrad RsqrtGrad SqrtGrad": dict(y=_DIVISOR, dy=(2, 3)),
    "Betainc": dict(a=_POSITIVE, b=_POSITIVE, x=_POSITIVE),
    "Igamma Igammac IgammaGradA": dict(a=_POSITIVE, x=_POSITIVE),
    "Polygamma": dict(a=exact([[1, 2, 1], [2, 1, 2]]), x=_POSITIVE),
    "Zeta": dict(x=within(1.5, 4, 2, 3), q=_POSITIVE),
    "Pow": dict(x=_POSITIVE, y=within(0, 3, 2, 3)),
    "Xdivy Xlogy Xlog1py": dict(x=(2, 3), y=_DIVISOR),
    "Div RealDiv FloorDiv FloorMod Mod TruncateDiv TruncateMod DivNoNan": dict(
        x=(2, 3), y=_DIVISOR
    ),
    "LeftShift RightShift": dict(x=(2, 3), y=within(0, 3, 2, 3)),
    "ClipByValue": dict(t=(2, 3), clip_value_min=exact(1), clip_value_max=exact(2)),
    "Cross": dict(a=(2, 3), b=(2, 3)),
    "Cumprod Cumsum CumulativeLogsumexp": dict(x=(2, 3), axis=exact(1)),
    "All Any EuclideanNorm Max Mean Min Prod Sum": dict(reduction_indices=exact([1])),
    "ArgMax ArgMin": dict(input=(2, 3), dimension=exact(1)),
    "Einsum": dict(equation="ij,jk->ik", inputs=[(2, 3), (3, 4)], N=2),
    "FFT IFFT": dict(input=(2, 4)),
    "FFT2D IFFT2D": dict(input=(4, 4)),
    "FFT3D IFFT3D": dict(input=(2, 4, 4)),
    "FFTND IFFTND": dict(input=(4, 4), fft_length=exact([4, 4]), axes=exact([0, 1])),
    "RFFT": dict(input=(2, 4), fft_length=exact([4])),
    "RFFT2D": dict(input=(4, 4), fft_length=exact([4, 4])),
    "RFFT3D": dict(input=(2, 4, 4), fft_length=exact([2, 4, 4])),
    "RFFTND": dict(input=(4, 4), fft_length=exact([4, 4]), axes=exact([0, 1])),
    "IRFFT": dict(input=(2, 3), fft_length=exact([4])),
    "IRFFT2D": dict(input=(4, 3), fft_length=exact([4, 4])),
    "IRFFT3D": dict(input=(2, 4, 3), fft_length=exact([2, 4, 4])),
    "IRFFTND": dict(input=(4, 3), fft_length=exact([4, 4]), axes=exact([0, 1])),
    "NextAfter": dict(x1=(2, 3), x2=(2, 3)),
    "SobolSample": dict(dim=exact(2), num_results=exact(4), skip=exact(1)),
    "RandomGammaGrad": dict(alpha=_POSITIVE, sample=_POSITIVE),
    "NearestNeighbors": dict(points=(4, 3), centers=(2, 3), k=exact(1)),
    "KMC2ChainInitialization": dict(distances=_POSITIVE._replace(shape=(5,)), seed=exact(1)),
    "KmeansPlusPlusInitialization": dict(
        points=(5, 3), num_to_sample=exact(2), seed=exact(1), num_retries_per_sample=exact(1)
    ),
    "TridiagonalMatMul": dict(superdiag=(1, 3), maindiag=(1, 3), subdiag=(1, 3), rhs=(3, 2)),
    "TridiagonalSolve": dict(diagonals=exact([[1, 1, 0], [4, 4, 4], [0, 1, 1]]), rhs=(3, 2)),
    "HistogramSummary": {},
}

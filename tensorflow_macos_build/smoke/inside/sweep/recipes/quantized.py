"""Quantised types: integers with the range of numbers that they stand for."""

from ..values import exact

_CONV = dict(input=(1, 4, 4, 2), filter=(2, 2, 2, 3), strides=[1, 1, 1, 1], padding="SAME")
_RANGE = dict(input_min=exact(-1.0), input_max=exact(1.0))

RECIPES = {
    "Dequantize QuantizeV2": dict(min_range=exact(-1.0), max_range=exact(1.0)),
    "QuantizeAndDequantizeV2 QuantizeAndDequantizeV4 QuantizeAndDequantizeV4Grad": _RANGE,
    "QuantizeAndDequantizeV3": dict(_RANGE, num_bits=exact(8)),
    "QuantizeDownAndShrinkRange RequantizationRange": _RANGE,
    "RequantizationRangePerChannel": dict(
        input=(1, 2, 2, 3),
        input_min=exact([-1.0] * 3),
        input_max=exact([1.0] * 3),
        clip_value_max=1.0,
    ),
    "Requantize": dict(_RANGE, requested_output_min=exact(-0.5), requested_output_max=exact(0.5)),
    "RequantizePerChannel": dict(
        input=(1, 2, 2, 3),
        input_min=exact([-1.0] * 3),
        input_max=exact([1.0] * 3),
        requested_output_min=exact(-0.5),
        requested_output_max=exact(0.5),
    ),
    "QuantizedAvgPool QuantizedMaxPool": dict(
        input=(1, 4, 4, 2), ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID"
    ),
    "QuantizedBatchNormWithGlobalNormalization": dict(
        t=(1, 2, 2, 3),
        m=(3,),
        v=(3,),
        beta=(3,),
        gamma=(3,),
        variance_epsilon=0.001,
        scale_after_normalization=True,
    ),
    "QuantizedBiasAdd": dict(input=(2, 3), bias=(3,)),
    "QuantizedConcat": dict(concat_dim=exact(0), values=(2, 3), N=2),
    "QuantizedConcatV2": dict(values=(2, 3), N=2, axis=exact(0)),
    "QuantizedConv2D QuantizedConv2DPerChannel": _CONV,
    "QuantizedDepthwiseConv2D": dict(_CONV, filter=(2, 2, 2, 1)),
    "QuantizedInstanceNorm": dict(x=(1, 4, 4, 2)),
    "QuantizedMatMul": dict(a=(3, 4), b=(4, 5)),
    "QuantizedReshape": dict(tensor=(2, 3), shape=exact([3, 2]), **_RANGE),
    "QuantizedResizeBilinear": dict(images=(1, 4, 4, 3), size=exact([6, 5])),
}

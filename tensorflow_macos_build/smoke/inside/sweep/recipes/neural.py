"""Layers of networks: convolutions, pooling, normalisation, activations, losses, cells."""

from ..values import by_type, exact, within

_STRIDES = [1, 1, 1, 1]
_WINDOW = [1, 2, 2, 1]
_CUBE_STRIDES = [1, 1, 1, 1, 1]
_CUBE_WINDOW = [1, 2, 2, 2, 1]
_POOL = dict(ksize=_WINDOW, strides=_WINDOW, padding="VALID")
_CUBE_POOL = dict(ksize=_CUBE_WINDOW, strides=_CUBE_WINDOW, padding="VALID")
_CONV = dict(strides=_STRIDES, padding="SAME")
_CUBE_CONV = dict(strides=_CUBE_STRIDES, padding="SAME")
_IMAGE = (2, 4, 4, 3)
_FILTER = (2, 2, 3, 4)
_CUBE = (1, 3, 3, 3, 2)
_CUBE_FILTER = (2, 2, 2, 2, 3)
_POSITIVE = within(0.5, 1.5, 3)
_ORDERED = exact([[[[(4 * y + x) * 2 + c for c in (0, 1)] for x in range(4)] for y in range(4)]])
_LARGEST = exact([[[[10, 11], [14, 15]], [[26, 27], [30, 31]]]])
_CUBE_ORDERED = exact(
    [
        [
            [[[(4 * z + 2 * y + x) * 2 + c for c in (0, 1)] for x in (0, 1)] for y in (0, 1)]
            for z in (0, 1)
        ]
    ]
)
_CUBE_LARGEST = exact([[[[[14, 15]]]]])
"""Images and what pooling makes of them: a gradient goes where the output's number lies."""

_CELL = dict(
    x=(2, 3), cs_prev=(2, 4), h_prev=(2, 4), w=(7, 16), wci=(4,), wcf=(4,), wco=(4,), b=(16,)
)
_BLOCK = dict(_CELL, seq_len_max=exact(2), x=(2, 2, 3))
_GATES = dict.fromkeys(("i", "cs", "f", "o", "ci", "co"), (2, 4))
_SEQUENCE = dict.fromkeys(("i", "cs", "f", "o", "ci", "co", "h"), (2, 2, 4))

RECIPES = {
    "Conv2D Conv": dict(_CONV, input=_IMAGE, filter=_FILTER),
    "Conv2DBackpropFilter": dict(
        _CONV, input=_IMAGE, filter_sizes=exact(_FILTER), out_backprop=(2, 4, 4, 4)
    ),
    "Conv2DBackpropInput": dict(
        _CONV, input_sizes=exact(_IMAGE), filter=_FILTER, out_backprop=(2, 4, 4, 4)
    ),
    "Conv2DBackpropFilterV2": dict(_CONV, input=_IMAGE, filter=_FILTER, out_backprop=(2, 4, 4, 4)),
    "Conv2DBackpropInputV2": dict(_CONV, input=_IMAGE, filter=_FILTER, out_backprop=(2, 4, 4, 4)),
    "_FusedConv2D": dict(
        _CONV,
        input=_IMAGE,
        filter=_FILTER,
        args=[(4,)],
        num_args=1,
        fused_ops=["BiasAdd"],
        host_args=[],
        num_host_args=0,
        TArgs=by_type("T"),
    ),
    "FusedPadConv2D": dict(
        input=_IMAGE,
        paddings=exact([[0, 0], [1, 1], [1, 1], [0, 0]]),
        filter=_FILTER,
        mode="REFLECT",
        strides=_STRIDES,
        padding="VALID",
    ),
    "FusedResizeAndPadConv2D": dict(
        input=_IMAGE,
        size=exact([6, 6]),
        paddings=exact([[0, 0], [1, 1], [1, 1], [0, 0]]),
        filter=_FILTER,
        mode="REFLECT",
        strides=_STRIDES,
        padding="VALID",
    ),
    "Conv3D": dict(_CUBE_CONV, input=_CUBE, filter=_CUBE_FILTER),
    "Conv3DBackpropFilter Conv3DBackpropInput": dict(
        _CUBE_CONV, input=_CUBE, filter=_CUBE_FILTER, out_backprop=(1, 3, 3, 3, 3)
    ),
    "Conv3DBackpropFilterV2": dict(
        _CUBE_CONV, input=_CUBE, filter_sizes=exact(_CUBE_FILTER), out_backprop=(1, 3, 3, 3, 3)
    ),
    "Conv3DBackpropInputV2": dict(
        _CUBE_CONV, input_sizes=exact(_CUBE), filter=_CUBE_FILTER, out_backprop=(1, 3, 3, 3, 3)
    ),
    "DepthwiseConv2dNative": dict(_CONV, input=_IMAGE, filter=(2, 2, 3, 2)),
    "DepthwiseConv2dNativeBackpropFilter": dict(
        _CONV, input=_IMAGE, filter_sizes=exact([2, 2, 3, 2]), out_backprop=(2, 4, 4, 6)
    ),
    "DepthwiseConv2dNativeBackpropInput": dict(
        _CONV, input_sizes=exact(_IMAGE), filter=(2, 2, 3, 2), out_backprop=(2, 4, 4, 6)
    ),
    "Dilation2D": dict(
        input=_IMAGE, filter=(2, 2, 3), strides=_STRIDES, rates=_STRIDES, padding="SAME"
    ),
    "Dilation2DBackpropFilter Dilation2DBackpropInput": dict(
        input=_IMAGE,
        filter=(2, 2, 3),
        out_backprop=_IMAGE,
        strides=_STRIDES,
        rates=_STRIDES,
        padding="SAME",
    ),
    "AvgPool": dict(_POOL, value=_IMAGE),
    "AvgPoolGrad": dict(_POOL, orig_input_shape=exact(_IMAGE), grad=(2, 2, 2, 3)),
    "AvgPool3D": dict(_CUBE_POOL, input=(1, 4, 4, 4, 2)),
    "AvgPool3DGrad": dict(
        _CUBE_POOL, orig_input_shape=exact([1, 4, 4, 4, 2]), grad=(1, 2, 2, 2, 2)
    ),
    "MaxPool": dict(_POOL, input=_IMAGE),
    "MaxPoolV2": dict(input=_IMAGE, ksize=exact(_WINDOW), strides=exact(_WINDOW), padding="VALID"),
    "MaxPoolWithArgmax": dict(_POOL, input=_IMAGE),
    "MaxPoolGrad": dict(_POOL, orig_input=_ORDERED, orig_output=_LARGEST, grad=(1, 2, 2, 2)),
    "MaxPoolGradV2": dict(
        orig_input=_ORDERED,
        orig_output=_LARGEST,
        grad=(1, 2, 2, 2),
        ksize=exact(_WINDOW),
        strides=exact(_WINDOW),
        padding="VALID",
    ),
    "MaxPoolGradGrad": dict(_POOL, orig_input=_ORDERED, orig_output=_LARGEST, grad=(1, 4, 4, 2)),
    "MaxPoolGradGradV2": dict(
        orig_input=_ORDERED,
        orig_output=_LARGEST,
        grad=(1, 4, 4, 2),
        ksize=exact(_WINDOW),
        strides=exact(_WINDOW),
        padding="VALID",
    ),
    "MaxPoolGradWithArgmax": dict(
        _POOL, input=_IMAGE, grad=(2, 2, 2, 3), argmax=within(0, 40, 2, 2, 2, 3)
    ),
    "MaxPoolGradGradWithArgmax": dict(
        _POOL, input=_IMAGE, grad=_IMAGE, argmax=within(0, 40, 2, 2, 2, 3)
    ),
    "MaxPool3D": dict(_CUBE_POOL, input=(1, 4, 4, 4, 2)),
    "MaxPool3DGrad": dict(
        _CUBE_POOL, orig_input=_CUBE_ORDERED, orig_output=_CUBE_LARGEST, grad=(1, 1, 1, 1, 2)
    ),
    "MaxPool3DGradGrad": dict(
        _CUBE_POOL, orig_input=_CUBE_ORDERED, orig_output=_CUBE_LARGEST, grad=(1, 2, 2, 2, 2)
    ),
    "FractionalAvgPool FractionalMaxPool": dict(
        value=(1, 5, 5, 2), pooling_ratio=[1.0, 1.4, 1.4, 1.0], deterministic=True, seed=1, seed2=2
    ),
    "FractionalAvgPoolGrad": dict(
        orig_input_tensor_shape=exact([1, 4, 4, 2]),
        out_backprop=(1, 2, 2, 2),
        row_pooling_sequence=exact([0, 2, 4]),
        col_pooling_sequence=exact([0, 2, 4]),
    ),
    "FractionalMaxPoolGrad": dict(
        orig_input=_ORDERED,
        orig_output=_LARGEST,
        out_backprop=(1, 2, 2, 2),
        row_pooling_sequence=exact([0, 2, 4]),
        col_pooling_sequence=exact([0, 2, 4]),
    ),
    "BatchNormWithGlobalNormalization": dict(
        t=_IMAGE,
        m=(3,),
        v=_POSITIVE,
        beta=(3,),
        gamma=(3,),
        variance_epsilon=0.001,
        scale_after_normalization=True,
    ),
    "BatchNormWithGlobalNormalizationGrad": dict(
        t=_IMAGE,
        m=(3,),
        v=_POSITIVE,
        gamma=(3,),
        backprop=_IMAGE,
        variance_epsilon=0.001,
        scale_after_normalization=True,
    ),
    "FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3": dict(
        x=_IMAGE, scale=(3,), offset=(3,), mean=(0,), variance=(0,)
    ),
    "_FusedBatchNormEx": dict(
        x=_IMAGE,
        scale=(3,),
        offset=(3,),
        mean=(3,),
        variance=_POSITIVE,
        side_input=[],
        num_side_inputs=0,
        is_training=False,
    ),
    "FusedBatchNormGrad FusedBatchNormGradV2": dict(
        y_backprop=_IMAGE, x=_IMAGE, scale=(3,), reserve_space_1=(3,), reserve_space_2=_POSITIVE
    ),
    "FusedBatchNormGradV3": dict(
        y_backprop=_IMAGE,
        x=_IMAGE,
        scale=(3,),
        reserve_space_1=(3,),
        reserve_space_2=_POSITIVE,
        reserve_space_3=(3,),
    ),
    "LRN": dict(input=_IMAGE),
    "LRNGrad": dict(input_grads=_IMAGE, input_image=_IMAGE, output_image=_IMAGE),
    "BiasAdd BiasAddV1": dict(value=(2, 3), bias=(3,)),
    "SoftmaxCrossEntropyWithLogits": dict(features=(2, 3), labels=within(0, 1, 2, 3)),
    "SparseSoftmaxCrossEntropyWithLogits": dict(features=(2, 3), labels=exact([2, 0])),
    "CTCLoss CTCLossV2": dict(
        inputs=(4, 2, 5),
        labels_indices=exact([[0, 0], [0, 1], [1, 0]]),
        labels_values=exact([1, 2, 3]),
        sequence_length=exact([4, 3]),
    ),
    "CTCGreedyDecoder": dict(inputs=(4, 2, 5), sequence_length=exact([4, 3])),
    "CTCBeamSearchDecoder": dict(
        inputs=(4, 2, 5), sequence_length=exact([4, 3]), beam_width=3, top_paths=1
    ),
    "EditDistance": dict(
        hypothesis_indices=exact([[0, 0], [0, 1]]),
        hypothesis_values=(2,),
        hypothesis_shape=exact([1, 2]),
        truth_indices=exact([[0, 0], [0, 1]]),
        truth_values=(2,),
        truth_shape=exact([1, 2]),
    ),
    "LSTMBlockCell": _CELL,
    "LSTMBlockCellGrad": dict(_CELL, cs_grad=(2, 4), h_grad=(2, 4), use_peephole=False, **_GATES),
    "BlockLSTM BlockLSTMV2": _BLOCK,
    "BlockLSTMGrad BlockLSTMGradV2": dict(
        _BLOCK, cs_grad=(2, 2, 4), h_grad=(2, 2, 4), use_peephole=False, **_SEQUENCE
    ),
    "GRUBlockCell": dict(x=(2, 3), h_prev=(2, 4), w_ru=(7, 8), w_c=(7, 4), b_ru=(8,), b_c=(4,)),
    "GRUBlockCellGrad": dict(
        x=(2, 3),
        h_prev=(2, 4),
        w_ru=(7, 8),
        w_c=(7, 4),
        b_ru=(8,),
        b_c=(4,),
        r=(2, 4),
        u=(2, 4),
        c=(2, 4),
        d_h=(2, 4),
    ),
    "FakeQuantWithMinMaxVars": dict(inputs=(2, 3), min=exact(-1.0), max=exact(1.0)),
    "FakeQuantWithMinMaxVarsGradient": dict(
        gradients=(2, 3), inputs=(2, 3), min=exact(-1.0), max=exact(1.0)
    ),
    "FakeQuantWithMinMaxVarsPerChannel": dict(
        inputs=(2, 3), min=exact([-1.0, -2.0, -1.5]), max=exact([1.0, 2.0, 1.5])
    ),
    "FakeQuantWithMinMaxVarsPerChannelGradient": dict(
        gradients=(2, 3), inputs=(2, 3), min=exact([-1.0, -2.0, -1.5]), max=exact([1.0, 2.0, 1.5])
    ),
    "ComputeAccidentalHits": dict(
        true_classes=exact([[0, 1], [2, 3]]), sampled_candidates=exact([1, 5]), num_true=2
    ),
}

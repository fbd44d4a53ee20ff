"""Images: colours, sizes, boxes, patches, and their encodings; sound likewise."""

from ..values import exact, made, within

_IMAGE = (1, 4, 4, 3)
_BOXES = exact([[0.1, 0.1, 0.7, 0.7], [0.2, 0.3, 0.9, 0.8]])
_CLOSE = exact([[0.0, 0.0, 1.0, 1.0], [0.0, 0.1, 1.0, 1.1], [0.0, 2.0, 1.0, 3.0]])
_SCORES = exact([0.9, 0.75, 0.6])
_PIXELS = within(0, 255, 4, 4, 3)
_BITMAP = (
    b"BM"
    + b"\x3e\0\0\0"
    + b"\0" * 4
    + b"\x36\0\0\0"
    + b"\x28\0\0\0"
    + b"\x01\0\0\0\x02\0\0\0"
    + b"\x01\0\x18\0"
    + b"\0" * 4
    + b"\x08\0\0\0"
    + b"\0" * 16
    + b"\x01\x02\x03\0\x04\x05\x06\0"
)
_GIF = (
    b"GIF89a\x01\0\x01\0\x80\0\0\xff\xff\xff\0\0\0!\xf9\x04\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02"
    b"\x02D\x01\0;"
)
_WEBP = b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0/\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07\0"
"""The smallest files of their kinds: one column, one or two rows."""

_PNG = made("EncodePng", image=_PIXELS, T="uint8")
_JPEG = made("EncodeJpeg", image=_PIXELS)
_WAV = made("EncodeWav", audio=within(-0.9, 0.9, 16, 1), sample_rate=exact(8000))

RECIPES = {
    "AdjustContrast": dict(
        images=_IMAGE, contrast_factor=exact(1.5), min_value=exact(-2.0), max_value=exact(2.0)
    ),
    "AdjustContrastv2": dict(images=_IMAGE, contrast_factor=exact(1.5)),
    "AdjustHue": dict(images=within(0, 1, *_IMAGE), delta=exact(0.2)),
    "AdjustSaturation": dict(images=within(0, 1, *_IMAGE), scale=exact(0.7)),
    "HSVToRGB RGBToHSV": dict(images=within(0, 1, *_IMAGE)),
    "CombinedNonMaxSuppression": dict(
        boxes=within(0, 1, 1, 3, 1, 4),
        scores=within(0, 1, 1, 3, 1),
        max_output_size_per_class=exact(2),
        max_total_size=exact(2),
        iou_threshold=exact(0.5),
        score_threshold=exact(0.1),
    ),
    "NonMaxSuppression": dict(boxes=_CLOSE, scores=_SCORES, max_output_size=exact(3)),
    "NonMaxSuppressionV2 NonMaxSuppressionV3 NonMaxSuppressionV4 NonMaxSuppressionV5": dict(
        boxes=_CLOSE,
        scores=_SCORES,
        max_output_size=exact(3),
        iou_threshold=exact(0.5),
        score_threshold=exact(0.1),
        soft_nms_sigma=exact(0.0),
    ),
    "NonMaxSuppressionWithOverlaps": dict(
        overlaps=(3, 3),
        scores=_SCORES,
        max_output_size=exact(3),
        overlap_threshold=exact(0.5),
        score_threshold=exact(0.1),
    ),
    "CropAndResize": dict(
        image=_IMAGE, boxes=_BOXES, box_ind=exact([0, 0]), crop_size=exact([3, 3])
    ),
    "CropAndResizeGradBoxes": dict(
        grads=(2, 3, 3, 3), image=_IMAGE, boxes=_BOXES, box_ind=exact([0, 0])
    ),
    "CropAndResizeGradImage": dict(
        grads=(2, 3, 3, 3), boxes=_BOXES, box_ind=exact([0, 0]), image_size=exact(_IMAGE)
    ),
    "DrawBoundingBoxes": dict(images=_IMAGE, boxes=exact([[[0.1, 0.1, 0.7, 0.7]]])),
    "DrawBoundingBoxesV2": dict(
        images=_IMAGE, boxes=exact([[[0.1, 0.1, 0.7, 0.7]]]), colors=exact([[1.0, 0.0, 0.5]])
    ),
    "ExtractGlimpse ExtractGlimpseV2": dict(
        input=_IMAGE,
        size=exact([2, 2]),
        offsets=exact([[0.1, 0.2]]),
        noise="zero",
        uniform_noise=False,
    ),
    "ExtractImagePatches": dict(
        images=_IMAGE,
        ksizes=[1, 2, 2, 1],
        strides=[1, 1, 1, 1],
        rates=[1, 1, 1, 1],
        padding="VALID",
    ),
    "ExtractVolumePatches": dict(
        input=(1, 3, 3, 3, 2), ksizes=[1, 2, 2, 2, 1], strides=[1, 1, 1, 1, 1], padding="VALID"
    ),
    "ImageProjectiveTransformV2": dict(
        images=_IMAGE,
        transforms=exact([[1.0, 0.1, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]]),
        output_shape=exact([4, 4]),
        interpolation="BILINEAR",
    ),
    "ImageProjectiveTransformV3": dict(
        images=_IMAGE,
        transforms=exact([[1.0, 0.1, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]]),
        output_shape=exact([4, 4]),
        interpolation="BILINEAR",
        fill_value=exact(0.5),
    ),
    "ResizeArea ResizeBicubic ResizeBilinear ResizeNearestNeighbor": dict(
        images=_IMAGE, size=exact([6, 5])
    ),
    "ResizeBicubicGrad ResizeBilinearGrad": dict(grads=(1, 6, 5, 3), original_image=_IMAGE),
    "ResizeNearestNeighborGrad": dict(grads=(1, 6, 5, 3), size=exact([4, 4])),
    "ScaleAndTranslate": dict(
        images=_IMAGE, size=exact([5, 5]), scale=exact([1.2, 1.2]), translation=exact([0.0, 0.5])
    ),
    "ScaleAndTranslateGrad": dict(
        grads=(1, 5, 5, 3),
        original_image=_IMAGE,
        scale=exact([1.2, 1.2]),
        translation=exact([0.0, 0.5]),
    ),
    "SampleDistortedBoundingBox": dict(
        image_size=exact([40, 40, 3]), bounding_boxes=exact([[[0.1, 0.1, 0.7, 0.7]]])
    ),
    "SampleDistortedBoundingBoxV2 StatelessSampleDistortedBoundingBox": dict(
        image_size=exact([40, 40, 3]),
        bounding_boxes=exact([[[0.1, 0.1, 0.7, 0.7]]]),
        min_object_covered=exact(0.1),
    ),
    "RandomCrop": dict(image=(6, 6, 3), size=exact([4, 4])),
    "EncodePng EncodeJpeg": dict(image=_PIXELS),
    "EncodeJpegVariableQuality": dict(images=_PIXELS, quality=exact(80)),
    "DecodePng DecodeImage": dict(contents=_PNG),
    "DecodeJpeg ExtractJpegShape": dict(contents=_JPEG),
    "DecodeAndCropJpeg": dict(contents=_JPEG, crop_window=exact([0, 0, 2, 2])),
    "DecodeBmp": dict(contents=exact(_BITMAP)),
    "DecodeGif": dict(contents=exact(_GIF)),
    "DecodeWebP": dict(contents=exact(_WEBP)),
    "DecodeJxl": dict(contents=exact(b"\xff\x0a")),
    "EncodeWav": dict(audio=within(-0.9, 0.9, 16, 1), sample_rate=exact(8000)),
    "DecodeWav": dict(contents=_WAV),
    "AudioSpectrogram": dict(input=(16, 1), window_size=8, stride=4),
    "AudioMicrofrontend": dict(audio=within(-99, 99, 1200)),
    "Mfcc": dict(spectrogram=within(0, 1, 1, 3, 65), sample_rate=exact(8000)),
}

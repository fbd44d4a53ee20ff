"""Strings, numbers as text, and records."""

from ..values import exact, made

_WORDS = exact([b"one two", b"three"])

RECIPES = {
    "DecodeBase64": dict(input=made("EncodeBase64", input=_WORDS)),
    "DecodeCSV": dict(
        records=exact([b"1,2.5", b"3,4.5"]),
        record_defaults=[exact([0]), exact([0.0])],
        OUT_TYPE=["int32", "float32"],
    ),
    "DecodeCompressed": dict(bytes=_WORDS),
    "DecodePaddedRaw": dict(input_bytes=exact([b"12345678", b"abcdefgh"]), fixed_length=exact(8)),
    "DecodeRaw": dict(bytes=exact([b"1234567812345678", b"abcdefghabcdefgh"])),
    "ParseTensor": dict(serialized=made("SerializeTensor", tensor=(2, 3)), out_type="float32"),
    "ParseExample": dict(
        serialized=exact([b""]),
        names=exact([]),
        sparse_keys=[],
        Nsparse=0,
        dense_keys=[exact(b"a")],
        Ndense=1,
        dense_defaults=[exact([1.5])],
        sparse_types=[],
        Tdense=["float32"],
        dense_shapes=[[1]],
    ),
    "ParseExampleV2": dict(
        serialized=exact([b""]),
        names=exact([]),
        sparse_keys=exact([]),
        dense_keys=exact([b"a"]),
        ragged_keys=exact([]),
        dense_defaults=[exact([1.5])],
        Tdense=["float32"],
        num_sparse=0,
        sparse_types=[],
        ragged_value_types=[],
        ragged_split_types=[],
        dense_shapes=[[1]],
    ),
    "ParseSingleExample": dict(
        serialized=exact(b""),
        dense_defaults=[exact([1.5])],
        num_sparse=0,
        sparse_keys=[],
        dense_keys=[b"a"],
        sparse_types=[],
        Tdense=["float32"],
        dense_shapes=[[1]],
    ),
    "ReduceJoin": dict(inputs=(2, 3), reduction_indices=exact([1])),
    "RegexFullMatch": dict(input=_WORDS, pattern=exact(b"t.*")),
    "RegexReplace": dict(input=_WORDS, pattern=exact(b"e"), rewrite=exact(b"E")),
    "StaticRegexFullMatch": dict(input=_WORDS, pattern="t.*"),
    "StaticRegexReplace": dict(input=_WORDS, pattern="e", rewrite="E"),
    "ShardedFilename": dict(basename=exact(b"a"), shard=exact(1), num_shards=exact(3)),
    "ShardedFilespec": dict(basename=exact(b"a"), num_shards=exact(3)),
    "StringFormat": dict(T=["float32", "int32"], template="%s %s"),
    "StringJoin": dict(inputs=(2, 3), N=2),
    "StringNGrams": dict(
        data=exact([b"a", b"b", b"c"]),
        data_splits=exact([0, 3]),
        separator=" ",
        ngram_widths=[2],
        left_pad="",
        right_pad="",
        pad_width=0,
        preserve_short_sequences=False,
    ),
    "StringSplit": dict(input=_WORDS, delimiter=exact(b" ")),
    "StringSplitV2": dict(input=_WORDS, sep=exact(b" ")),
    "StringToHashBucket StringToHashBucketFast": dict(num_buckets=7),
    "StringToHashBucketStrong": dict(num_buckets=7, key=[1, 2]),
    "StringToNumber": dict(string_tensor=exact([b"1", b"25"])),
    "Substr": dict(input=_WORDS, pos=exact(1), len=exact(2)),
    "UnicodeDecode UnicodeDecodeWithOffsets": dict(input=_WORDS, input_encoding="UTF-8"),
    "UnicodeEncode": dict(
        input_values=exact([72, 105, 33]), input_splits=exact([0, 2, 3]), output_encoding="UTF-8"
    ),
    "UnicodeScript": dict(input=exact([72, 1041])),
    "UnicodeTranscode": dict(input=_WORDS, input_encoding="UTF-8", output_encoding="UTF-16-BE"),
    "UnsortedSegmentJoin": dict(
        inputs=exact([b"a", b"b", b"c"]), segment_ids=exact([0, 1, 0]), num_segments=exact(2)
    ),
}

"""Ops that a single call on a device says nothing of, each for one of a few stated reasons."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


class Exclusion(Enum):
    """Why an op is not called. What is excluded is counted, and apart from what is unaccounted."""

    FILES = "it reads or writes files or streams, or prints"
    REFERENCE = (
        "it takes or gives a table, stack or array of TensorFlow 1 by a reference to its name"
    )
    FUNCTION = "it calls functions of a graph"
    GRAPH = "it has a meaning inside a graph only: control flow, arguments, placeholders"
    TRANSFER = "it sends to or receives from another device or machine"
    PIPELINE = "it is part of an input pipeline (tf.data), which checks of their own run whole"
    WAITING = "it waits for what another call brings: queues, barriers, staging areas, batches"
    MODEL = "it needs the state of a whole model: trees, quantisation tables, serialised graphs"
    COMPILER = "it belongs to a compiler or to hardware of its own: XLA, TPU, Hexagon, oneDNN"
    TEST = "TensorFlow's own tests use it, or it ends or halts the process by design"
    HANDLES = "it moves handles (resource, variant), which have no numbers to compare"
    REMOVED = "TensorFlow's own kernel refuses every call: removed, or no code for the type"
    PREPARATION = "the device does not do what comes before or after it: make its list, read back"
    UNREACHABLE = "no call reaches a kernel: a label that graphs name, types that the op has not"


_NAMES: tuple[tuple[str, Exclusion], ...] = (
    (
        r"(Read|Write)File|MatchingFiles|Save(V2|Slices)?|Restore(V2|Slice)?|MergeV2Checkpoints"
        r"|.*Summary(V2)?|.*SummaryWriter|(Create|Import|Flush|Close|Write).*(Summary|Event|Writer).*"
        r"|.*Reader(V2)?|Reader.*|Lmdb.*|Print|PrintV2|Debug.*|DumpTensor|Copy|CopyHost"
        r"|GenerateVocabRemapping|LoadAndRemapMatrix|ImmutableConst|InitializeTableFromTextFile(V2)?"
        r"|FileSystemSetConfiguration|CalibrationStatisticsSaver|DistributedSave|SavedModel.*"
        r"|CheckpointHasTensor|SummaryWriter|AsyncCheckpoint.*|WriteRawProtoSummary",
        Exclusion.FILES,
    ),
    (
        r"Enter|Exit|NextIteration|LoopCond|Merge|Switch|Ref(Enter|Exit|NextIteration|Merge|Switch"
        r"|Select|Identity)|_SwitchN|_XlaMerge|Placeholder(V2)?|_(Device)?Arg|_(Device)?Retval"
        r"|_HostCast|_ParallelConcat.*|_If|_While|_Scoped.*|FakeParam|.*VariableV?2?|_VarHandlesOp"
        r"|TemporaryVariable|DestroyTemporaryVariable|_ReadVariablesOp|IfRefs|GraphDefVersion|_EagerConst"
        r"|Const|HostConst|_NcclBroadcast.*|_ListTo.*|_ArrayTo.*|_TensorTo.*|_UnaryOpsComposition|_TakeGrad",
        Exclusion.GRAPH,
    ),
    (
        r"_?(Host)?(Send|Recv)|Collective.*|Nccl.*|_Nccl.*|Rpc.*|TryRpc|.*RpcFuture.*|RemoteCall"
        r"|DTensor.*|_?ConfigureDistributed.*|_?ShutdownDistributed.*|.*GlobalTPU.*|WorkerHeartbeat"
        r"|(Get|Delete)SessionHandle(V2)?|(Get|Delete)SessionTensor|DeviceIndex|CopyToMesh.*|Relayout.*",
        Exclusion.TRANSFER,
    ),
    (
        r".*Dataset.*|.*Iterator.*|Iterator.*|.*Optional.*|GetOptions|GetElementAtIndex|ComputeBatchSize"
        r"|.*MemoryCache|.*SeedGenerator|DummyIterationCounter|StatsAggregator.*|.*MultiDevice.*"
        r"|ThreadPoolHandle|WindowOp|DatasetTo.*|Data.*Service.*|(Unc|C)ompressElement|GlobalShuffle.*"
        r"|IndexFlatMap.*|RandomIndexShuffle|WeightedFlatMap.*",
        Exclusion.PIPELINE,
    ),
    (
        r".*Queue.*|Barrier.*|(Ordered)?Map(Stage|Unstage|Peek|Clear|Size|IncompleteSize).*"
        r"|OrderedMap.*|(Un)?[Ss]tage.*|Batch|Unbatch|UnbatchGrad|.*Mutex.*|.*Accumulator.*"
        r"|AccumulatorTakeGradient|RecordInput|Sleep.*",
        Exclusion.WAITING,
    ),
    (
        r"(IsB|B)oostedTrees.*|Decision.*|.*TreeEnsemble.*|TensorForest.*|Sdca.*|TfLite.*|RemoteFused.*"
        r"|Word2.*|Skipgram|NegTrain|ParseSequenceExample.*|ParseSingleSequenceExample"
        r"|.*ProtoV2|EncodeProto|CustomAggregator|DecodeJSONExample|PyFunc.*|EagerPyFunc|CompositeTensorVariant.*|Merge.*Summary",
        Exclusion.MODEL,
    ),
    (
        r"_?Xla.*|.*TPU.*|_?Mkl.*|_?Tpu.*|Quantized(Conv2D|DepthwiseConv2D|MatMul)(With|And|Per).*"
        r"|_Quantized.*|_TPU.*|Uniform(Quantize|Dequantize|Requantize|Quantized).*|_?OneDnn.*|_EagerConst"
        r"|_FusedQuantize.*|_Fused(BatchMatMul|Matmul|Conv3D|Depthwise).*|Risc.*|.*Hexagon.*|SyncDevice"
        r"|IsTensorFloat32Enabled|StochasticCastToInt|CheckPinned|_MlirPassthrough.*",
        Exclusion.COMPILER,
    ),
    (r"DestroyResourceOp", Exclusion.HANDLES),
    (r"TensorArray\w*V2|QuantizedDepthwiseConv2D|QuantizedConv2D(PerChannel)?", Exclusion.REMOVED),
    (
        r"Abort|Old|.*Fails?|KernelLabel.*|TestAttr.*|Stub.*|Resource(Create|Initialized|Using)Op|Attr.*"
        r"|DevicePlacementOp|DtypeWithDefaultOp|.*Polymorphic.*|Fact|GetDeadline|NoOp2|TestString.*"
        r"|ForeignOp|(Int|Float|Bool|Func|List|Simple|Type|String|Binary|Unary|Out|In|None|Two|Three|Five"
        r"|Foo|Bar|Mixed|Reserved|Device|Requires|NInts?|N[A-Z]|Couple|Res).*(Test|Input|Output|Op|Attr)s?",
        Exclusion.TEST,
    ),
)
_RULES = tuple((re.compile(names), reason) for names, reason in _NAMES)


_TYPES: tuple[tuple[str, str, Exclusion], ...] = (
    (r".*", r"resource|variant", Exclusion.HANDLES),
    (r"_FusedConv2D", r"float16|bfloat16|q?int8", Exclusion.REMOVED),
    (r"UnicodeDecodeWithOffsets", r"int32", Exclusion.REMOVED),
    (r"TensorArray(Gather|Concat)V3", r"q.*", Exclusion.REMOVED),
    (r"TensorStridedSliceUpdate|StridedSliceAssign", r"float8.*|q.*|u?int[24]", Exclusion.REMOVED),
)
_TYPE_RULES = tuple((re.compile(op), re.compile(types), reason) for op, types, reason in _TYPES)


def type_exclusion(op: str, types: Collection[str]) -> Exclusion | None:
    """Return why an op is not called with these types; None when it is."""
    for names, kinds, reason in _TYPE_RULES:
        if names.fullmatch(op) and any(kinds.fullmatch(dtype) for dtype in types):
            return reason
    return None


def exclusion(op: str, attr_types: frozenset[str], *, takes_reference: bool) -> Exclusion | None:
    """Return why an op is not called; None when it is.

    Args:
        op: its name.
        attr_types: the types of its attributes, as an OpDef names them.
        takes_reference: whether an argument of its OpDef is a reference.
    """
    for names, reason in _RULES:
        if names.fullmatch(op):
            return reason
    if takes_reference:
        return Exclusion.REFERENCE
    return Exclusion.FUNCTION if attr_types & {"func", "list(func)"} else None

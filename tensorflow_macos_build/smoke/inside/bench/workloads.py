"""The workloads: Apple's list of 2020, sequences, and a model that is too small for a GPU."""

from typing import Callable, Dict

from . import adversarial, images, sequences, style
from .bench_context import BenchContext, Step

WORKLOADS: "Dict[str, Callable[[BenchContext], Step]]" = {
    "resnet50v2-finetune": images.resnet_finetune,
    "mobilenetv3": images.mobilenet,
    "mobilenetv3-tfdata": images.mobilenet_from_dataset,
    "densenet121": images.densenet,
    "cyclegan": adversarial.cyclegan,
    "style-transfer": style.style_transfer,
    "lstm": sequences.lstm,
    "bert-encoder": sequences.bert_encoder,
    "dense-small": sequences.dense_small,
}

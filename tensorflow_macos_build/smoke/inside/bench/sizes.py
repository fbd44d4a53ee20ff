"""How large each workload is: `full` as in practice, `small` for a look, `tiny` for tests of us."""

from typing import Any, Dict, List

# "Dict[…]" in quotes, here and elsewhere: Python 3.6 to 3.8 cannot evaluate it.
_IMAGES: "Dict[str, Dict[str, Any]]" = {
    "tiny": {"image": 32, "batch": 2},
    "small": {"image": 96, "batch": 8},
    "full": {"image": 224, "batch": 32},
}

_ALL: "Dict[str, Dict[str, Dict[str, Any]]]" = {
    "resnet50v2-finetune": _IMAGES,
    "mobilenetv3": _IMAGES,
    "mobilenetv3-tfdata": _IMAGES,
    "densenet121": _IMAGES,
    # Zhu et al. 2017: 64 filters, 9 blocks at 256 pixels, batch 1
    "cyclegan": {
        "tiny": {"image": 32, "batch": 1, "filters": 4, "blocks": 1},
        "small": {"image": 64, "batch": 1, "filters": 16, "blocks": 3},
        "full": {"image": 256, "batch": 1, "filters": 64, "blocks": 9},
    },
    # Gatys et al. 2016: the features of VGG-19, whose first layers have 64 filters
    "style-transfer": {
        "tiny": {"image": 32, "batch": 1, "filters": 8},
        "small": {"image": 128, "batch": 1, "filters": 32},
        "full": {"image": 512, "batch": 1, "filters": 64},
    },
    "lstm": {
        "tiny": {"length": 12, "words": 200, "units": 16, "batch": 4},
        "small": {"length": 80, "words": 10000, "units": 64, "batch": 32},
        "full": {"length": 200, "words": 20000, "units": 128, "batch": 64},
    },
    # Devlin et al. 2019: BERT-base is 12 layers of 768 with 12 heads, and 30,522 word pieces
    "bert-encoder": {
        "tiny": {"length": 12, "words": 200, "units": 32, "heads": 2, "layers": 1, "batch": 2},
        "small": {"length": 64, "words": 8000, "units": 256, "heads": 4, "layers": 4, "batch": 8},
        "full": {
            "length": 128,
            "words": 30522,
            "units": 768,
            "heads": 12,
            "layers": 12,
            "batch": 16,
        },
    },
    # so little work that starting it on a GPU takes longer than doing it (apple#88, apple#128)
    "dense-small": {
        "tiny": {"inputs": 64, "units": 32, "batch": 16},
        "small": {"inputs": 784, "units": 128, "batch": 32},
        "full": {"inputs": 784, "units": 128, "batch": 32},
    },
}


def size_of(workload: str, size: str) -> "Dict[str, Any]":
    """Return a workload's dimensions at a size."""
    return _ALL[workload][size]


def names() -> "List[str]":
    """Return the workloads that have sizes, in the order of the report."""
    return list(_ALL)

"""The real all-MiniLM-L6-v2: its numbers, an adapter's gradients and a training curve. The weights stay out."""

import torch
from peft import TaskType
from tokenizers import Tokenizer
from transformers import AutoModel

from . import reference as ref

SENTENCES = [
    "A man is eating food.",
    "The committee has not yet decided whether the bridge, closed since the flood, can be repaired before winter.",
    "Rain.",
]
SUBJECTS = {
    "The soup": ["hot and full of flavour", "cold and strangely sour"],
    "Our guide": ["patient, funny and well prepared", "late, rude and badly prepared"],
    "This film": ["a quiet delight from the first scene", "a dull copy of better ones"],
    "The new keyboard": ["solid and a pleasure to type on", "noisy and broken after a week"],
    "The hotel": ["clean, bright and close to the sea", "dirty, dark and far from everything"],
    "The second chapter": ["clear and well argued", "muddled and far too long"],
    "Her performance": ["moving and precise", "flat and without any life"],
    "The battery": ["still strong after two full days", "empty before lunch"],
}
FRAMES = ["{} was {}.", "{} was, to my surprise, {}!", "Everyone agreed: {} was {}.", "I have to say that {} was {}.",
          "{} was {}, and that is all I will say about it."]
ADAPTER_RANK, ALPHA, LABELS, ROWS, STEPS = 8, 16, 2, 8, 10
SETTINGS = {
    "model": "all-MiniLM-L6-v2", "sentences": SENTENCES, "labels": LABELS, "adapterRank": ADAPTER_RANK,
    "alpha": ALPHA, "targets": ["query", "value"],
    "training": {
        "steps": STEPS, "batch": ROWS, "schedule": "constant", "clipNorm": None,
        "adamw": {"learningRate": 2e-3, "betas": [0.9, 0.999], "epsilon": 1e-8, "weightDecay": 0.01},
    },
}


def write(golden, model_folder):
    """Writes golden/minilm and returns its settings for the index."""
    folder = ref.folder_of(golden, "minilm")
    tokenizer = Tokenizer.from_file(f"{model_folder}/tokenizer.json")
    tokenizer.no_padding()
    write_base(folder, model_folder, encoded(tokenizer, SENTENCES, [0] * len(SENTENCES)))
    training = encoded(tokenizer, *opinions())
    ref.write_tensors(folder / "training.safetensors", training.tensors())
    adapter = folder / "adapter"
    deviations = (0.05, 0.05, 0.1)
    base = ref.classifier(model_folder, LABELS)
    ref.write_adapter(base, adapter, TaskType.SEQ_CLS, ["query", "value"], ADAPTER_RANK, ALPHA, deviations, seed=20)
    write_adapted(folder, model_folder, adapter, list(training.slices(ROWS)))
    return SETTINGS


def encoded(tokenizer, texts, labels):
    encodings = tokenizer.encode_batch(texts)
    return ref.Batch([e.ids for e in encodings], [e.type_ids for e in encodings], labels)


def opinions():
    """Eighty sentences of our own with labels (1 is praise), in an order that mixes both in every batch."""
    texts, labels = [], []
    for number, frame in enumerate(FRAMES):
        for place, (subject, verdicts) in enumerate(SUBJECTS.items()):
            for label in (1, 0):
                texts.append(frame.format(subject if frame.startswith("{}") else lowered(subject), verdicts[1 - label]))
                labels.append(label)
    order = torch.randperm(len(texts), generator=torch.Generator().manual_seed(3)).tolist()
    return [texts[i] for i in order], [labels[i] for i in order]


def lowered(subject):
    return subject[0].lower() + subject[1:]


def write_base(folder, model_folder, batch):
    """All of the first sentence; of the others the ends and the Frobenius norm; the pooler of all."""
    model = AutoModel.from_pretrained(model_folder, attn_implementation="eager", dtype=torch.float32).double().eval()
    states = ref.hidden_states(model, batch)
    expected = {"hidden.0": states["hidden.0"], "pooler": states["pooler"]}
    hidden = [states[f"hidden.{i}"] for i in range(len(batch.rows))]
    expected["first"] = torch.stack([h[0] for h in hidden])
    expected["last"] = torch.stack([h[-1] for h in hidden])
    expected["frobenius"] = torch.stack([h.norm() for h in hidden])
    ref.write_tensors(folder / "sentences.safetensors", batch.tensors())
    ref.write_tensors(folder / "expected-base.safetensors", expected)


def write_adapted(folder, model_folder, adapter, batches):
    """Loss and gradients of the first training batch, and the curve over all of them."""
    fresh = lambda: ref.adapted(ref.classifier(model_folder, LABELS), adapter)
    ref.write_tensors(folder / "expected.safetensors", ref.loss_and_gradients(fresh(), batches[0]))
    make = lambda p: torch.optim.AdamW(p, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
    curve = ref.training_curve(fresh(), batches, make)
    kept = {name: t for name, t in curve.items() if not name.startswith("final.")}
    ref.write_tensors(folder / "curve.safetensors", ref.prefixed("adamw", kept))

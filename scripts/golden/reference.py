"""What the fixtures share: batches, reference models, gradients and training curves.

Everything is computed in Float64 from parameters that are exact in Float32 and rounded to Float32 once,
when it is stored, so that a reader measures its own rounding and not the reference's as well.
"""

import json
import math
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForSequenceClassification, get_linear_schedule_with_warmup


class Rows:
    """Ragged rows of token ids, and lists as long that say more of each row."""

    def __init__(self, rows, *columns):
        self.rows, self.columns = rows, columns

    def packed(self):
        """The layout of a prepared data set: rows one after another, and where each begins."""
        offsets = [0]
        for row in self.rows:
            offsets.append(offsets[-1] + len(row))
        return {"tokens": torch.tensor(sum(self.rows, []), dtype=torch.int32),
                "offsets": torch.tensor(offsets, dtype=torch.int64)}

    def slices(self, size):
        """Consecutive batches of `size` rows."""
        for start in range(0, len(self.rows), size):
            yield type(self)(*(column[start : start + size] for column in (self.rows, *self.columns)))


class Batch(Rows):
    """Rows with token types and labels, for classification."""

    def __init__(self, rows, types, labels):
        super().__init__(rows, types, labels)
        self.types, self.labels = types, labels

    def padded(self):
        """What Hugging Face wants: ids, mask and, where one is not 0, types, rows × longest row, padded with 0."""
        width = max(map(len, self.rows))
        pad = lambda values: torch.tensor([v + [0] * (width - len(v)) for v in values])
        mask = pad([[1] * len(row) for row in self.rows])
        inputs = {"input_ids": pad(self.rows), "attention_mask": mask}
        return inputs | ({"token_type_ids": pad(self.types)} if any(map(any, self.types)) else {})

    def tensors(self):
        return self.packed() | {
            "labels": torch.tensor(self.labels, dtype=torch.int32),
            "tokenTypes": torch.tensor(sum(self.types, []), dtype=torch.uint8),
        }

    def outputs(self, model):
        """`loss` (mean over rows) and `logits`."""
        output = model(**self.padded(), labels=torch.tensor(self.labels))
        return {"loss": output.loss, "logits": output.logits}


def write_tensors(path, tensors):
    """Stores floating-point tensors as F32 and integers as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    store = lambda t: t.detach().to(torch.float32) if t.is_floating_point() else t
    save_file({name: store(t).contiguous().clone() for name, t in tensors.items()}, str(path))


def fill(parameters, generator, deviation):
    """Overwrites parameters with normal numbers of the given deviation, exact in Float32."""
    with torch.no_grad():
        for parameter in parameters:
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * deviation)


def classifier(model_folder, labels):
    """The base model with a classification head, no dropout, plain attention, Float32."""
    return AutoModelForSequenceClassification.from_pretrained(
        model_folder, num_labels=labels, attn_implementation="eager", dtype=torch.float32,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)


def write_adapter(base, folder, task, targets, adapter_rank, alpha, deviations, seed):
    """Writes a random adapter, with its head if it has one, as PEFT writes it; `deviations` are those of A, B and
    the head."""
    config = LoraConfig(task_type=task, r=adapter_rank, lora_alpha=alpha, lora_dropout=0.0, target_modules=targets)
    model = get_peft_model(base, config)
    generator = torch.Generator().manual_seed(seed)
    trained = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    for part, deviation in zip(("lora_A", "lora_B", "modules_to_save"), deviations):
        fill([p for n, p in trained if part in n], generator, deviation)
    model.save_pretrained(str(folder))
    (folder / "README.md").unlink(missing_ok=True)
    settle_configuration(folder / "adapter_config.json")


def settle_configuration(path):
    """Takes out what differs from run to run: the model's folder and the order of sets."""
    config = json.loads(path.read_text())
    config["base_model_name_or_path"] = None
    config["target_modules"].sort()
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def adapted(base, adapter_folder):
    """The model with the stored adapter on it, in Float64, its adapter and head trainable."""
    model = PeftModel.from_pretrained(base, str(adapter_folder), is_trainable=True)
    return model.to(torch.float64).train()


def file_name(parameter):
    """The name that PEFT gives a parameter in adapter_model.safetensors."""
    return parameter.replace(".default", "").replace(".modules_to_save", "")


def trainable(model):
    return {file_name(n): p for n, p in model.named_parameters() if p.requires_grad}


def hidden_states(model, batch):
    """`hidden.N` of each row without its padding, and `pooler` of all rows where the model has one."""
    with torch.no_grad():
        output = model(**batch.padded())
    rows = {f"hidden.{i}": output.last_hidden_state[i, : len(row)] for i, row in enumerate(batch.rows)}
    return rows if output.pooler_output is None else rows | {"pooler": output.pooler_output}


def loss_and_gradients(model, batch):
    """The batch's outputs, and `gradient.NAME` of every trained tensor."""
    model.zero_grad()
    outputs = batch.outputs(model)
    outputs["loss"].backward()
    return outputs | {f"gradient.{n}": p.grad for n, p in trainable(model).items()}


def training_curve(model, batches, make_optimizer, clip_norm=None, warm_up=None):
    """Trains one step a batch: `losses` before each step, `gradientNorms` before clipping, `learningRates`,
    and `final.NAME` of every trained tensor after the last step."""
    parameters = trainable(model)
    optimizer = make_optimizer(list(parameters.values()))
    schedule = None if warm_up is None else get_linear_schedule_with_warmup(optimizer, warm_up, len(batches))
    curve = {"losses": [], "gradientNorms": [], "learningRates": []}
    for batch in batches:
        curve["losses"].append(step_loss(model, optimizer, batch))
        norm = torch.nn.utils.clip_grad_norm_(parameters.values(), clip_norm or math.inf)
        curve["gradientNorms"].append(float(norm))
        curve["learningRates"].append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if schedule:
            schedule.step()
    final = {f"final.{n}": p for n, p in parameters.items()}
    return {n: torch.tensor(v, dtype=torch.float64) for n, v in curve.items()} | final


def step_loss(model, optimizer, batch):
    optimizer.zero_grad()
    loss = batch.outputs(model)["loss"]
    loss.backward()
    return float(loss.detach())


def prefixed(prefix, tensors):
    return {f"{prefix}.{name}": t for name, t in tensors.items()}


def encoder(model):
    """The encoder inside the adapted classifier."""
    return model.get_base_model().base_model


def folder_of(golden, *names):
    path = Path(golden).joinpath(*names)
    path.mkdir(parents=True, exist_ok=True)
    return path

"""The real SmolLM2-135M-Instruct: next tokens, a loss and greedy continuations. The weights stay out."""

import torch
from tokenizers import Tokenizer

from . import reference as ref
from .decoder import Sequences, causal, greedy, outputs

NAME = "SmolLM2-135M-Instruct"
SENTENCE = "The capital of France is"
DIALOGUES = {
    "What is the capital of Italy?": "Rome.",
    "A farmer has 63 sheep and buys 50 more. How many sheep does he have now?": "63 + 50 = 113 #### 113",
}
TOP, NEW_TOKENS, STOP = 5, 24, 2
SETTINGS = {
    "model": NAME, "sentence": SENTENCE, "dialogues": DIALOGUES, "top": TOP,
    "greedy": {"newTokens": NEW_TOKENS, "stopToken": STOP},
}


def write(golden, model_folder):
    """Writes golden/smollm2 and returns its settings for the index."""
    folder = ref.folder_of(golden, "smollm2")
    tokenizer = Tokenizer.from_file(f"{model_folder}/tokenizer.json")
    model = causal(model_folder)
    sentence = ref.Rows([tokenizer.encode(SENTENCE).ids])
    ref.write_tensors(folder / "sentence.safetensors", sentence.packed())
    ref.write_tensors(folder / "expected-sentence.safetensors", next_token(model, sentence.rows[0]))
    batch = dialogues(tokenizer)
    ref.write_tensors(folder / "batch.safetensors", batch.tensors())
    ref.write_tensors(folder / "expected.safetensors", {"loss": outputs(model, batch)["loss"]})
    continued = greedy(model, batch.beginnings(), NEW_TOKENS, STOP)
    ref.write_tensors(folder / "greedy.safetensors", continued)
    return SETTINGS | {"continuations": [tokenizer.decode(row) for row in unpacked(continued)]}


def dialogues(tokenizer):
    """Questions in the chat template, without a system's turn, and their answers."""
    ids = lambda text: tokenizer.encode(text).ids
    prompts = [ids(f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n") for question in DIALOGUES]
    answers = [ids(f"{answer}<|im_end|>") for answer in DIALOGUES.values()]
    return Sequences([prompt + answer for prompt, answer in zip(prompts, answers)], [len(p) for p in prompts])


def next_token(model, row):
    """The last hidden states (after the last norm) of the last token, and the best logits and probabilities."""
    with torch.no_grad():
        hidden = model.model(torch.tensor([row])).last_hidden_state[0]
        logits = model.lm_head(hidden[-1])
    best = logits.topk(TOP)
    return {"hidden": hidden[-1], "top.tokens": best.indices.to(torch.int32), "top.logits": best.values,
            "top.probabilities": logits.softmax(-1)[best.indices]}


def unpacked(rows):
    return [part.tolist() for part in rows["tokens"].tensor_split(rows["offsets"][1:-1])]

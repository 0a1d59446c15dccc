"""Generation tasks: a prompt for a chat model, the answer to learn, and beside the tokens what answers are graded by.

Prompt and answer are tokenised apart and joined, so that a prompt has the same tokens when there is no answer yet.
"""

import json

from .errors import InputError
from .rows import Encoded

START, END = "<|im_start|>", "<|im_end|>"
PROMPT = START + "user\n{question}" + END + "\n" + START + "assistant\n"


class Generation:
    """What is graded by a number, a program of the stack machine, or Python."""

    def __init__(self, grader, tokenisation):
        self.tokenizer = tokenisation.tokenizer()
        self.maximum_length = tokenisation.maximum_length
        end = self.tokenizer.token_to_id(END)
        if end is None or self.tokenizer.token_to_id(START) is None:
            raise InputError(f"{tokenisation.file}: expected a chat model's tokens {START} and {END}, found none; "
                             "--model names a model's folder")
        self.description = {"task": "generation", "grader": grader, "stopTokens": [end]}

    def encode(self, rows):
        """Rows that are too long are left out: an answer must stay whole."""
        prompts = [PROMPT.format(question=row.question) for row in rows]
        lengths, tokens, lines, kept = [], [], [], []
        pairs = zip(self.ids(prompts), self.ids([row.answer + END for row in rows]))
        for row, prompt, (before, after) in zip(rows, prompts, pairs):
            if len(before) + len(after) > self.maximum_length:
                continue
            kept.append(row)
            lengths.append(len(before))
            tokens.append(before + after)
            lines.append(reference(row, prompt))
        if not kept:
            raise InputError(f"--maximum-length: expected room for rows, found all {len(rows)} of a split longer than "
                             f"{self.maximum_length} tokens")
        return Encoded(kept, tokens, {"promptLengths": ("I32", lengths)}, lines)

    def ids(self, texts):
        return [encoding.ids for encoding in self.tokenizer.encode_batch(texts, add_special_tokens=False)]


def reference(row, prompt):
    """A line of SPLIT.jsonl."""
    group = {} if row.group is None else {"group": row.group}
    return json.dumps({"prompt": prompt, "answer": row.answer, **group, **row.facts}, ensure_ascii=False)

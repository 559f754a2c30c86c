"""What a trained model says of every clip of a corpus."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from sertut.attention.maps import AttentionMap
from sertut.corpora import Clip, Corpus
from sertut.errors import SertutError
from sertut.training.runs import Run


@dataclass(frozen=True)
class Predictions:
    """Of N clips: logits (N, C), labels (N,), and each clip's maps by name, of batch size 1 and without padding.

    The weights of all maps lie in a temporary file, from which the system reads what is looked at: a map of heads has
    as many numbers as the clip has frames, squared, which is gigabytes on ten thousand clips.
    """

    clips: tuple[Clip, ...]
    emotions: tuple[str, ...]
    logits: torch.Tensor
    labels: torch.Tensor
    maps: tuple[Mapping[str, AttentionMap], ...]

    @property
    def probabilities(self) -> torch.Tensor:
        """Softmax of the logits, (N, C)."""
        return self.logits.softmax(dim=1)

    @property
    def predicted(self) -> np.ndarray:
        """Index of the most probable emotion, (N,)."""
        return self.logits.argmax(dim=1).numpy()


@torch.no_grad()
def predict(run: Run, corpus: Corpus, batch_size: int = 64) -> Predictions:
    """Logits and attention maps of every clip, in the order of the corpus.

    Raises:
        SertutError: the corpus has other emotions than the model was trained for; a map gives weight to padding.
    """
    if corpus.emotions != run.emotions:
        raise SertutError(
            f"the model knows the emotions {', '.join(run.emotions)}, but the corpus '{corpus.name}' has"
            f" {', '.join(corpus.emotions)}; evaluate on a corpus with the same list."
        )
    part = run.examples(corpus)
    logits = torch.empty(len(part), len(run.emotions))
    maps: list[dict[str, AttentionMap]] = [{} for _ in range(len(part))]
    written: list[tuple[int, str, AttentionMap]] = []  # clip, name and shape of each map, in the order of the file
    run.model.eval()
    with tempfile.TemporaryFile() as file:
        for indices, batch in part.in_order(batch_size):
            output = run.model(batch.to(run.device))
            logits[indices] = output.logits.float().cpu()
            for row, index in enumerate(indices):
                for name, map_ in output.maps.items():
                    alone = map_.alone(row)
                    total = float(map_.weights[row].float().sum())
                    if total - float(alone.weights.sum()) > 1e-3 * total:
                        raise SertutError(
                            f"the map '{name}' of {corpus.clips[index].name} looks at padding, beyond the clip's end;"
                            " give its softmax the mask."
                        )
                    file.write(alone.weights.numpy().tobytes())
                    written.append((index, name, replace(alone, weights=alone.weights.to("meta"))))
        file.flush()
        stored = torch.from_numpy(np.memmap(file, np.float32, "r+")) if file.tell() else torch.empty(0)
    pieces = stored.split([map_.weights.numel() for _, _, map_ in written])
    for (index, name, map_), weights in zip(written, pieces, strict=True):
        maps[index][name] = replace(map_, weights=weights.view(map_.weights.shape))
    return Predictions(corpus.clips, corpus.emotions, logits, part.labels, tuple(maps))

"""Labelled feature tables, the order in which training sees them, and small distortions: few speakers then go further.

Only training clips are distorted, dev and test clips never.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch

from sertut.corpora import Corpus, load_faces, load_features, load_voices
from sertut.errors import SertutError
from sertut.signals import FEATURES, N_MELS, Batch, Normalizer, pad
from sertut.tensors import digest_of_tensors
from sertut.training.recipe import Recipe


@dataclass(frozen=True)
class Examples:
    """Features and labels of a set of clips: rows[i] is (T_i, F), labels (N,).

    faces: for networks that see, faces[i] is (T'_i, F' + 1); its last column is 1 where a face was found, else 0.
    voices: the same clips in V other voices, voices[i] is (V, T_i, F).
    """

    rows: Sequence[torch.Tensor]
    labels: torch.Tensor
    faces: Sequence[torch.Tensor] | None = None
    voices: Sequence[torch.Tensor] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def digest(self) -> str:
        """Changes with any number in it."""
        faces = self.faces or ()
        return digest_of_tensors({str(i): row for i, row in enumerate((*self.rows, *faces, self.labels))})

    def to(self, device: torch.device) -> Examples:
        """The same clips, their tables on `device` once and for all; labels, and masks of batches, stay on the CPU."""
        tables = (self.rows, self.faces, self.voices)
        rows, faces, voices = (part and [row.to(device) for row in part] for part in tables)
        return Examples(rows or [], self.labels, faces, voices)

    def normalized(self, normalizer: Normalizer, face_normalizer: Normalizer | None = None) -> Examples:
        """The same clips, by statistics of the training clips."""
        faces = self.faces
        if faces is not None and face_normalizer:
            faces = [normalize_face(row, face_normalizer) for row in faces]
        voices = self.voices and [normalizer(row).half() for row in self.voices]
        return Examples([normalizer(row) for row in self.rows], self.labels, faces, voices)

    def batch(self, indices: Sequence[int], rows: Sequence[torch.Tensor] | None = None) -> Batch:
        """The clips at `indices` as one padded batch; `rows` replaces their features."""
        features, mask = pad(rows if rows is not None else [self.rows[i] for i in indices])
        batch = Batch(features, mask, self.labels[list(indices)])
        if self.faces is None:
            return batch
        faces, _ = pad([self.faces[i] for i in indices])
        return replace(batch, face=faces[..., :-1], face_mask=faces[..., -1] > 0.5)

    def in_order(self, batch_size: int) -> Iterator[tuple[list[int], Batch]]:
        """Every clip once, shortest first (little padding), with its index."""
        order = sorted(range(len(self)), key=lambda i: len(self.rows[i]))
        for start in range(0, len(order), batch_size):
            indices = order[start : start + batch_size]
            yield indices, self.batch(indices)

    def shuffled(self, recipe: Recipe, generator: torch.Generator) -> Iterator[Batch]:
        """Every clip once, in random order, each one distorted anew.

        With ``recipe.similar``, clips of about the same length come together, these batches are shuffled, and each clip
        of a batch is cut to the length of the shortest, at a random place: no padding. With ``recipe.whole`` none is
        cut, and with faces none either, because the two streams would have to be cut alike; where tempo may change,
        the clips of a batch are then stretched to one length, half of the change theirs and half the batch's (the
        longest and the shortest clips, which have few of their length, may go somewhat further).
        """
        order = torch.randperm(len(self), generator=generator)
        stretched, half = recipe.whole and recipe.stretch > 0, recipe.stretch / 2
        if recipe.similar:
            reach = half if stretched else 0.08
            blur = 1 - reach + 2 * reach * torch.rand(len(self), generator=generator)  # other neighbors in each epoch
            order = (blur * torch.tensor([float(len(row)) for row in self.rows])).argsort()
        batches = list(order.split(recipe.batch_size))
        if recipe.similar:
            batches = [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]
        for indices in (batch.tolist() for batch in batches):
            rows = [self.heard(i, recipe, generator) for i in indices]
            length = None
            if stretched:
                tempo = 1 - half + 2 * half * torch.rand((), generator=generator).item()
                length = max(1, round(sorted(len(row) for row in rows)[len(rows) // 2] / tempo))
            rows = [distorted(row, recipe, generator, length) for row in rows]
            cut = recipe.similar and not recipe.whole and self.faces is None
            yield self.batch(indices, cut_to_shortest(rows, generator) if cut else rows)

    def heard(self, i: int, recipe: Recipe, generator: torch.Generator) -> torch.Tensor:
        """Clip `i` (T_i, F) in its own voice or, in a share ``recipe.voices`` of all cases, in one of the others."""
        if self.voices is None or torch.rand((), generator=generator) >= recipe.voices:
            return self.rows[i]
        return self.voices[i][torch.randint(len(self.voices[i]), (), generator=generator)].float()


def distorted(row: torch.Tensor, recipe: Recipe, generator: torch.Generator, length: int | None = None) -> torch.Tensor:
    """A clip's table of normalized features (T, F) as it is seen this time; `stretch` changes T, to `length` if given.

    `gain` moves only what depends on the level; a mel band is masked in all its columns, the level never is. Source of
    the masks: SpecAugment, Park et al., arXiv 1904.08779.
    """

    def draw(low: float, high: float) -> float:
        return low + (high - low) * torch.rand((), generator=generator).item()

    def draw_int(low: int, high: int) -> int:  # both included
        return int(torch.randint(low, high + 1, (), generator=generator))

    if recipe.stretch:
        length = length or max(1, round(len(row) / draw(1 - recipe.stretch, 1 + recipe.stretch)))
        size = (length, row.shape[1])  # the columns stay as they are
        row = torch.nn.functional.interpolate(row[None, None], size=size, mode="bilinear", align_corners=False)[0, 0]
    row = row.clone()
    if recipe.gain:
        gain = draw(-recipe.gain, recipe.gain)
        for columns in FEATURES[recipe.feature].follow_level:
            row[:, columns] += gain
    for _ in range(2):
        if recipe.frequency_mask:
            width = draw_int(0, recipe.frequency_mask)
            start = draw_int(0, N_MELS - width)
            for first in FEATURES[recipe.feature].mel_starts:
                row[:, first + start : first + start + width] = 0.0  # the training mean
        if recipe.time_mask:
            width = min(draw_int(0, recipe.time_mask), len(row) // 4)
            start = draw_int(0, len(row) - width)
            row[start : start + width] = 0.0
    return row


def cut_to_shortest(rows: Sequence[torch.Tensor], generator: torch.Generator) -> list[torch.Tensor]:
    """Tables (T_i, F) of one length, the smallest T_i; each keeps a part that starts at random."""
    shortest = min(len(row) for row in rows)
    starts = [int(torch.randint(0, len(row) - shortest + 1, (), generator=generator)) for row in rows]
    return [row[start : start + shortest] for row, start in zip(rows, starts, strict=True)]


def examples(corpus: Corpus, feature: str, face: str = "", voices: bool = False, progress: bool = False) -> Examples:
    """Load the features of a corpus, of its faces and in other voices if asked for; not normalized."""
    rows = load_features(corpus, feature, progress=progress)
    labels = torch.tensor([corpus.label(clip) for clip in corpus])
    faces = load_faces(corpus, face, progress=progress) if face else None
    return Examples(rows, labels, faces, load_voices(corpus, feature, progress) if voices else None)


def fit_face_normalizer(faces: Sequence[torch.Tensor]) -> Normalizer:
    """Statistics over the frames of `faces`, (T', F' + 1) each, with a face; a :class:`SertutError` if none has one."""
    seen = [row[row[:, -1] > 0.5, :-1] for row in faces]
    if not sum(len(row) for row in seen):
        raise SertutError("no training clip shows a face; train on the voice alone, with face=''.")
    return Normalizer.fit(seen)


def normalize_face(row: torch.Tensor, normalizer: Normalizer) -> torch.Tensor:
    """Normalize (T', F' + 1); frames without a face stay 0, and so does the last column what it is."""
    found = row[:, -1:]
    return torch.cat([normalizer(row[:, :-1]) * found, found], dim=1)

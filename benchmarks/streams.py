"""What two streams cost: `python benchmarks/streams.py`. CPU seconds of one core; measured, never asserted.

A batch of 32 clips of 3 s goes through the networks of voice and face: forward as in testing, and forward and backward
as in training, which is where the synchrony loss is paid for.
"""

import time

import torch
from torch.nn.functional import cross_entropy

from sertut.models import AudioVisual
from sertut.signals import HOP_SECONDS, N_MELS, Batch
from sertut.video import FACE_FEATURES, VIDEO_HOP

CLIPS, SECONDS = 32, 3.0
NETWORKS = {
    "voice": dict(streams="voice", pooling="attention"),
    "face": dict(streams="face", pooling="attention"),
    "nearest": dict(fusion="nearest", pooling="attention"),
    "alignment, additive": dict(score="additive", pooling="attention"),
    "alignment, product": dict(pooling="attention"),
    "+ one lag": dict(fusion="one lag", pooling="attention"),
    "+ synchrony": dict(fusion="one lag", pooling="attention", synchrony=1.0),
    "+ perception": dict(fusion="one lag", pooling="perception", synchrony=1.0),
}


def a_batch() -> Batch:
    """Clips of noise."""
    n_voice, n_face = round(SECONDS / HOP_SECONDS), round(SECONDS / VIDEO_HOP)
    return Batch(
        torch.randn(CLIPS, n_voice, N_MELS),
        torch.ones(CLIPS, n_voice, dtype=torch.bool),
        torch.arange(CLIPS) % 7,
        face=torch.randn(CLIPS, n_face, FACE_FEATURES["hog_relative"][1]),
        face_mask=torch.ones(CLIPS, n_face, dtype=torch.bool),
    )


def cpu_seconds(model: AudioVisual, batch: Batch, training: bool) -> float:
    """Of one pass, the best of three, because whatever else runs on the machine can only add to it."""
    model.train(training)
    times = []
    for _ in range(4):  # the first one is not counted
        started = time.process_time()
        with torch.set_grad_enabled(training):
            output = model(batch)
            if training:
                loss = cross_entropy(output.logits, batch.labels)
                (loss if output.auxiliary is None else loss + output.auxiliary).backward()
        times.append(time.process_time() - started)
    return min(times[1:])


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(0)
    batch = a_batch()
    print(f"torch {torch.__version__}, one thread, {CLIPS} clips of {SECONDS:g} s, float32")
    print(f"{'network':20s} {'parameters':>10s} {'testing ms':>11s} {'training ms':>12s}")
    for name, options in NETWORKS.items():
        model = AudioVisual(N_MELS, FACE_FEATURES["hog_relative"][1], 7, **options)
        size = sum(p.numel() for p in model.parameters())
        testing, training = (1000 * cpu_seconds(model, batch, way) for way in (False, True))
        print(f"{name:20s} {size:10d} {testing:11.1f} {training:12.1f}", flush=True)

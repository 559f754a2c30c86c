"""Videos in, the face and its features out: containers, face tracking, histograms of gradients. Knows no corpus."""

from sertut.video.faces import (
    FACE_FEATURES,
    FACE_SIZE,
    Faces,
    face_features,
    face_settings,
    find_faces,
    n_video_frames,
    on_clock,
    read_faces,
)
from sertut.video.frames import VIDEO_HOP, VIDEO_RATE, Video, read_video, write_video
from sertut.video.tracking import face_boxes

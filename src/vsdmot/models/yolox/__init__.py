"""YOLOX: anchor-free one-stage detector; also a tracker's backbone, see `vsdmot.models.backbone`.

Ge et al., "YOLOX: Exceeding YOLO Series in 2021", arXiv 2107.08430. Module names follow the published weights,
so those of YOLOX, ByteTrack, OC-SORT and DanceTrack load as they are.
"""

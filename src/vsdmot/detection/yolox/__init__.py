"""YOLOX: anchor-free one-stage detector that gives MOTRv2 and VSD-MOT their proposals (Sec. IV-C).

Ge et al., "YOLOX: Exceeding YOLO Series in 2021", arXiv 2107.08430. Module names follow the published weights,
so those of YOLOX, ByteTrack, OC-SORT and DanceTrack load as they are.
"""

"""Training of YOLOX, the detector that gives the tracker its proposals (Sec. IV-C).

Paper note: the paper says that YOLOX was trained again on its mixes, for 20 and 50 epochs, and nothing else. All the
rest follows YOLOX (arXiv 2107.08430) and ByteTrack, whose detectors MOTRv2 uses.
"""

"""YOLOX as a source of proposals for MOTRv2 and VSD-MOT (Sec. IV-C): weights, input, output.

The network itself is in `vsdmot.models.yolox`.
"""

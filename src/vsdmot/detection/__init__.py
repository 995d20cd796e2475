"""Where proposals come from: a YOLOX detector, or files of detections made elsewhere.

Everything here is a `vsdmot.detection.proposals.ProposalSource`: a frame goes in, its proposals come out.
"""

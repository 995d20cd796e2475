"""The networks, in pure torch: what runs at inference and nothing else.

Nothing here knows files, video, settings files or track ids. Boxes are ``cxcywh`` in [0, 1] of the network input.
Read in the order of the data: backbone, neck, transformer, queries, student, dswr, vsdmot (puts them together), qim.
"""

"""Training: clips, losses, distillation, the loop. Nothing here is needed to track.

The teacher and DCSD live here, so that the tree itself shows that CLIP is not needed at inference.
"""

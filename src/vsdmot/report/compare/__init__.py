"""Runs side by side: on video, and as strips of frames like Fig. 6 and 7 of the paper."""

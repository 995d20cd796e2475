"""Low-quality footage (Eq. 17): Real-ESRGAN's second-order chain, operators for video, and their course over time.

From one image (`chain`, `operators`) over the frames of a video (`schedule`, `frames`) to folders, data sets and files
(`sequences`, `trees`, `videos`).
"""

"""Sources and sinks: video, images, cameras and streams in; video, text and JSON Lines out.

Frames are RGB and upright from here on: BGR, display rotation, bit depth and palettes exist only inside this package.
PyAV is imported only by the modules that decode or encode video, so that reading image folders works without it.
"""

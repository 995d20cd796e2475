"""From frames to tracks: the tracker, the life cycle of tracks, and the two families of methods behind it.

`tracker.Tracker` is what users hold. `query_tracking` follows people with the network (MOTRv2, VSD-MOT),
`association` links detections (SORT, ByteTrack, OC-SORT, BoT-SORT). State is a value that goes in and comes out.
"""

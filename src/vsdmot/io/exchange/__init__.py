"""Tracks in the file formats of other programs: each is read into a `TrackTable`, and written from one."""

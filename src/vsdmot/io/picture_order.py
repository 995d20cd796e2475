"""Which place and time a decoded picture has, also where others around it could not be decoded."""

from __future__ import annotations

import heapq
from fractions import Fraction


class PictureOrder:
    """Number pictures so that those which cannot be decoded keep their place.

    A packet holds a picture and its timestamp, so the index of a picture is the rank of its timestamp among those of
    the packets. Timestamps that are passed over count as lost pictures only if a packet failed to decode: some codecs
    also have packets that show nothing, and a file cut between key frames begins with pictures nobody can show.

    Attributes:
        index: Index of the last picture, from 1; 0 before the first.
        timestamp: Timestamp of the last picture; None if it has none.
        start: Timestamp of the picture with index 1; None if it has none.
        num_lost: Pictures that were passed over.
    """

    def __init__(self, *, trust_timestamps: bool = True) -> None:
        """Begin before the first picture.

        Args:
            trust_timestamps: Whether pictures carry their own timestamp. AVI stores none, so that those of its
                pictures are in the order of decoding: there, the smallest that waits is the right one.
        """
        self.index = 0
        self.timestamp: int | None = None
        self.start: int | None = None
        self.num_lost = 0
        self._trust = trust_timestamps
        self._waiting: list[int] = []
        self._num_failed = 0

    def expect(self, timestamp: int | None) -> None:
        """Say that a packet with this timestamp goes to the decoder."""
        if timestamp is not None:
            heapq.heappush(self._waiting, timestamp)

    def fail(self) -> None:
        """Say that the decoder refused a packet (which one is not known: it works ahead)."""
        self._num_failed += 1

    def arrive(self, timestamp: int | None, key_frame: bool) -> int | None:
        """Say that a picture came out, in the order of display, and give its index.

        After damage a decoder may give a picture that belongs before the last one. Its turn is over: None.
        """
        if timestamp is not None and self._trust:
            if self.num_lost and self.timestamp is not None and timestamp < self.timestamp:
                return None
            passed = self._pass_over(timestamp)
            lost = len(passed) if self._num_failed else 0
            if lost and key_frame:  # damage spreads until a key frame, not beyond
                self._num_failed = 0
        else:
            lost, self._num_failed = self._num_failed, 0
            passed = [heapq.heappop(self._waiting) for _ in range(min(lost, len(self._waiting)))]
            timestamp = heapq.heappop(self._waiting) if self._waiting else None
        if self.index == 0:
            self.start = passed[0] if lost and passed else timestamp
        self.timestamp = timestamp
        self.num_lost += lost
        self.index += lost + 1
        return self.index

    def end(self) -> None:
        """Say that no picture follows: what still waits after a failure is lost."""
        if self._num_failed:
            timed = self._trust and self.timestamp is not None
            self.num_lost += len(self._waiting) if timed else self._num_failed

    def _pass_over(self, timestamp: int) -> list[int]:
        """Take what waits up to and with this timestamp, and give what was before it."""
        passed = []
        while self._waiting and self._waiting[0] < timestamp:
            passed.append(heapq.heappop(self._waiting))
        if self._waiting and self._waiting[0] == timestamp:
            heapq.heappop(self._waiting)
        return passed


class FrameClock:
    """Seconds since the first frame, from timestamps where there are any, never falling."""

    def __init__(self, frame_rate: float, time_base: Fraction | None, *, from_timestamps: bool) -> None:
        self._rate = frame_rate
        self._unit = float(time_base) if time_base and from_timestamps else None
        self._last = -1.0

    def time(self, index: int, timestamp: int | None, start: int | None) -> float:
        """Time of a frame in seconds; ``timestamp`` and ``start`` count in the stream's time base."""
        if self._unit is None or timestamp is None or start is None:
            time = (index - 1) / self._rate
        else:
            time = (timestamp - start) * self._unit
        if time <= self._last:
            time = self._last + 1 / self._rate
        self._last = time
        return time

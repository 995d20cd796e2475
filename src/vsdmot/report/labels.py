"""The label at each box: id and score, clear of one another as far as possible, and calm from frame to frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2

from vsdmot.report.colours import BRIGHT, DARK, id_colour
from vsdmot.report.lettering import font_size, line_width, text_width, write
from vsdmot.report.placement import Rectangle
from vsdmot.structures import Boxes, Image, Tracks

# A label that is more than this many times as wide as its box hides neighbours, so the score is left out; a score that
# is there already may stay a little longer, or it would come and go with every tremble of the box.
_WIDEST, _WIDEST_TO_KEEP = 2.5, 3.0


@dataclass(frozen=True, slots=True)
class Label:
    """A text at its place, for one id."""

    track_id: int
    text: str
    place: Rectangle


@dataclass(frozen=True, slots=True)
class _Form:
    """What a label looks like, whatever the box: with the score or without, and the number of its place."""

    scored: bool
    number: int


class Labels:
    """Arrange the labels of one frame after the other.

    A label stays as it was in the frame before unless that clearly hides more of it. It returns to a better liked form
    only after a second, so that it does not jump to and fro while people pass each other.

    Args:
        frame_rate: Frames per second.
        show_scores: Add the score where the box is wide enough for it.
    """

    _STAY_SECONDS = 1.0
    _CLEARLY = 0.1  # of the label's area

    def __init__(self, *, frame_rate: float, show_scores: bool) -> None:
        self._stay_frames = self._STAY_SECONDS * frame_rate
        self._show_scores = show_scores
        self._last: dict[int, tuple[_Form, int]] = {}  # of the last frame: each id's form, and the frame it began in

    def arrange(
        self, index: int, tracks: Tracks, shape: tuple[int, ...], *, taken: tuple[Rectangle, ...] = ()
    ) -> list[Label]:
        """Place a label at each box; call it once for each frame, in order.

        Args:
            index: The frame's index.
            tracks: Who is labelled; those who come later choose first.
            shape: Height and width of the image first.
            taken: Places that are occupied already.

        Returns:
            The labels in drawing order; none for an image that is smaller than a label.
        """
        labels: list[Label] = []
        chosen: dict[int, tuple[_Form, int]] = {}
        for track_id, score, box in reversed(list(zip(tracks.ids.tolist(), tracks.scores, tracks.boxes, strict=True))):
            choices = self._choices(track_id, float(score), box, shape)
            if choices:
                occupied = [*taken, *(label.place for label in labels)]
                chosen[track_id] = self._choose(choices, occupied, index, self._last.get(track_id))
                labels.append(choices[chosen[track_id][0]])
        self._last = chosen
        return labels[::-1]

    def _choices(self, track_id: int, score: float, box: Boxes, shape: tuple[int, ...]) -> dict[_Form, Label]:
        """List the forms that a label may have, best liked first."""
        unit, edge = font_size(*shape[:2]), line_width(*shape[:2]) // 2 + 1

        def forms(text: str, *, scored: bool) -> list[tuple[_Form, Label]]:
            places = label_places(text, box, unit, edge, shape)
            return [(_Form(scored, number), Label(track_id, text, place)) for number, place in enumerate(places)]

        short, full = str(track_id), f"{track_id} {score:.2f}"
        had_score = track_id in self._last and self._last[track_id][0].scored
        widest = (_WIDEST_TO_KEEP if had_score else _WIDEST) * (box[2] - box[0])
        fits = self._show_scores and text_width(full, unit, bold=True) <= widest
        with_score = forms(full, scored=True) if fits else []
        return dict(with_score[:2] + forms(short, scored=False) + with_score[2:])

    def _choose(
        self, choices: dict[_Form, Label], occupied: list[Rectangle], index: int, last: tuple[_Form, int] | None
    ) -> tuple[_Form, int]:
        """Choose the form that hides least, or stay with the last one; also give the frame in which the form began."""
        hidden = {form: sum(label.place.overlap(other) for other in occupied) for form, label in choices.items()}
        best = min(choices, key=lambda form: hidden[form])  # of equals the first, which is the best liked
        if last is None or last[0] not in choices:
            return best, index
        form, since = last
        place, liking = choices[form].place, list(choices)
        must_move = hidden[form] - hidden[best] > self._CLEARLY * place.width * place.height
        may_return = index - since >= self._stay_frames and liking.index(best) < liking.index(form)
        return (best, index) if must_move or may_return else last


def label_places(text: str, box: Boxes, unit: int, edge: int, shape: tuple[int, ...]) -> list[Rectangle]:
    """List where a label may stand in the image, best first: above the box, below it, higher above.

    Args:
        text: The label.
        box: ``(4,)`` xyxy in pixels.
        unit: Font size in pixels.
        edge: How far the box's line reaches outside the box, in pixels.
        shape: Height and width of the image first.

    Returns:
        Five places, or none where the label is larger than the image.
    """
    label_width, label_height = text_width(text, unit, bold=True) + round(0.6 * unit), round(1.25 * unit)
    if label_width > shape[1] or label_height > shape[0]:
        return []
    left, right = float(box[0]) - edge, float(box[2]) + edge - label_width
    above, below = float(box[1]) - label_height, float(box[3]) + edge
    return [
        Rectangle(
            left=round(min(max(x, 0), shape[1] - label_width)),
            top=round(min(max(y, 0), shape[0] - label_height)),
            width=label_width,
            height=label_height,
        )
        for x, y in ((left, above), (right, above), (left, below), (right, below), (left, above - label_height))
    ]


def draw_label(canvas: Image, label: Label) -> None:
    """Draw a label into ``canvas`` ``(H, W, 3)``, on a ground of its id's colour."""
    place, unit, colour = label.place, font_size(*canvas.shape[:2]), id_colour(label.track_id)
    corner = (place.left + place.width - 1, place.top + place.height - 1)
    cv2.rectangle(canvas, (place.left, place.top), corner, colour, cv2.FILLED)
    cv2.rectangle(canvas, (place.left, place.top), corner, DARK, 1)
    red, green, blue = colour
    ink = DARK if 0.3 * red + 0.59 * green + 0.11 * blue > 110 else BRIGHT
    write(canvas, label.text, place.left + 0.3 * unit, place.top + place.height / 2, unit, ink, bold=True)

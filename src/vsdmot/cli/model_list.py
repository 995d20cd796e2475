"""``vsdmot info --list``: the models that are known by name, and where the others come from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vsdmot.detection.yolox.releases import RELEASES, Release
from vsdmot.tracking.model_names import SHIPPED, is_shipped, shipped_folder


@dataclass(frozen=True, kw_only=True)
class ListedModel:
    """A model, and how to come by it.

    Attributes:
        name: What it is called.
        load: What to write on the command line.
        licence: Of the weights, or of the repository that publishes them, where they have none of their own.
        source: Where it comes from.
        sha256: Of its file, or why none is told.
    """

    name: str
    load: str
    licence: str
    source: str
    sha256: str


def listed_models() -> list[ListedModel]:
    """Give all models; hashes are those of files that are here."""
    return [*(_shipped(name) for name in SHIPPED), *(_released(*item) for item in RELEASES.items()), *_ELSEWHERE]


def describe_models() -> Iterator[str]:
    """Put them into lines: a table, with source and hash below each name."""
    models = listed_models()
    names, loads = (max(len(getattr(model, column)) for model in models) for column in ("name", "load"))
    yield f"{'model':<{names}}  {'load with':<{loads}}  licence"
    for model in models:
        yield f"{model.name:<{names}}  {model.load:<{loads}}  {model.licence}"
        yield f"  source  {model.source}"
        yield f"  sha256  {model.sha256}"


def describe_release(name: str) -> list[str]:
    """Describe a published detector that was not downloaded yet."""
    model = _released(name, RELEASES[name])
    return [
        f"{name}: published YOLOX detector, not downloaded yet; {model.load} does that",
        f"  licence {model.licence}",
        f"  source  {model.source}",
        f"  sha256  {model.sha256}",
        f"  input convention {RELEASES[name].convention}",
    ]


def _shipped(name: str) -> ListedModel:
    folder = shipped_folder(name) if is_shipped(name) else None
    return ListedModel(
        name=name,
        load=f"--weights {name}",
        licence="Apache-2.0",
        source="comes with this package" if folder else "comes with releases of vsdmot; this package was built without",
        sha256=_digest(folder / "model.safetensors") if folder else "not here",
    )


def _released(name: str, release: Release) -> ListedModel:
    here = release.cached.is_file()
    return ListedModel(
        name=name,
        load=f"--detector {name}",
        licence=release.licence,
        source=f"{release.file.url} (COCO, YOLOX {release.version})",
        sha256=f"{_digest(release.cached)} (of {release.cached})" if here else "not known, will be printed",
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_ELSEWHERE = (
    ListedModel(
        name="MOTRv2, DanceTrack",
        load="--tracker motrv2 --weights motrv2_dancetrack.pth",
        licence="MIT; trained on data for research only",
        source="your own file, from https://github.com/megvii-research/MOTRv2; cannot be downloaded by this program",
        sha256="not known",
    ),
    ListedModel(
        name="ByteTrack, OC-SORT",
        load="--detector bytetrack_x_mot17.pth.tar",
        licence="MIT; trained on data for research only",
        source="your own file, from their repositories; cannot be downloaded by this program",
        sha256="not known",
    ),
    ListedModel(
        name="owner/name",
        load="--weights owner/name",
        licence="as its page says",
        source="https://huggingface.co/owner/name, downloaded into the cache of huggingface_hub",
        sha256="on its page",
    ),
)

"""Entry point: find the verb, run it, turn errors into one line and an exit code.

Exit codes: 0 done, 1 a defect of ours (with traceback), 2 something the user can fix, 130 stopped with Ctrl-C, 141
nobody reads on what is printed (``| head``). A verb may have more: 3 is what `vsdmot data check --strict` gives for
problems.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from vsdmot.cli.arguments import Parser
from vsdmot.errors import ConfigError, VsdmotError
from vsdmot.version import __version__

VERBS = {
    "track": "follow people through a video: overlay, MOT text, JSON Lines",
    "detect": "write the proposals of a detector to a file",
    "degrade": "make low-quality footage from good, with the same boxes",
    "synth": "render scenes of people with exact ground truth",
    "data": "check data sets, and build the paper's sets of low quality",
    "train": "train a tracker or a detector by a recipe",
    "eval": "score results against ground truth: HOTA, MOTA, IDF1 and the rest",
    "robustness": "score trackers as the picture gets worse, with curves",
    "paper": "fill the tables and figures of the paper with your own runs",
    "report": "show runs side by side on one HTML page: video, timeline, worst moments",
    "compare": "show runs side by side on video, and strips of where they differ",
    "triage": "find which parts of hours of footage can be used, and what spoils the rest",
    "convert": "write tracks in the format of another program: CVAT, CSV, MOT text",
    "info": "say what a file or folder of weights is",
    "demo": "make a short low-quality clip, track and score it, and show the files",
}
"""Verb to summary; the module ``vsdmot.cli.VERB`` is imported only when it is called."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Words after ``vsdmot``; None takes those of the process.

    Returns:
        The exit code.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    # Before torch loads: its threads spin while they wait for each other, and two runs on the same cores then slow each
    # other down fourfold and more. Short spinning costs a run alone 8 % and doubles the speed of two side by side.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    signal.signal(signal.SIGTERM, _stop)
    try:
        if not words or words[0].startswith("-") or words[0] not in VERBS:
            _top_level().parse_args(words[:1] or ["--help"])
        verb = importlib.import_module(f"vsdmot.cli.{words[0]}")
        code: int | None = verb.main(words[1:])
    except VsdmotError as error:
        for line in str(error).splitlines():
            sys.stderr.write(f"vsdmot: {line}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("vsdmot: stopped; what was written so far is complete up to here\n")
        return 130
    except BrokenPipeError:
        # Python would complain once more when it flushes standard output at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return code or 0


def _top_level() -> Parser:
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {name:<{width}}  {summary}" for name, summary in VERBS.items())
    parser = Parser(
        prog="vsdmot",
        description="Track people through low-quality video.",
        epilog=f"verbs:\n{verbs}\n\n`vsdmot VERB --help` explains each.",
        usage="vsdmot VERB ...",
    )
    parser.add_argument("--version", action="version", version=f"vsdmot {__version__}")
    parser.add_argument("verb", metavar="VERB", type=_verb, help="what to do")
    return parser


def _verb(word: str) -> str:
    import difflib

    near = difflib.get_close_matches(word, VERBS, n=1)
    raise ConfigError(
        f"unknown verb {word!r}; " + (f"did you mean {near[0]}?" if near else f"one of {', '.join(VERBS)}")
    )


def _stop(number: int, frame: FrameType | None) -> None:
    """Treat a polite request to end like Ctrl-C, so that writers close their files."""
    del number, frame
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())

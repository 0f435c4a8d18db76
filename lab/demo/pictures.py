"""Create a contact sheet and an animation of frames: `pictures.py DIRECTORY`."""

import sys
from pathlib import Path

from PIL import Image

COLUMNS = 6
THUMBNAIL = (213, 160)  # pixels
FRAME_MILLISECONDS = 80


def contact_sheet(frames: list[Image.Image]) -> Image.Image:
    """Return an image with thumbnails of all frames, in rows of COLUMNS."""
    width, height = THUMBNAIL
    rows = -(-len(frames) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * width, rows * height), "white")
    for place, frame in enumerate(frames):
        sheet.paste(frame.resize(THUMBNAIL), (place % COLUMNS * width, place // COLUMNS * height))
    return sheet


def main(directory: Path) -> None:
    """Write contact-sheet.png and animation.gif beside a directory of *.png files."""
    frames = [Image.open(path).convert("RGB") for path in sorted(directory.glob("*.png"))]
    if not frames:
        sys.exit(f"{directory} has no frames (*.png): fetch the job first")
    contact_sheet(frames).save(directory.parent / "contact-sheet.png")
    first, *others = frames
    first.save(
        directory.parent / "animation.gif", save_all=True, append_images=others, duration=FRAME_MILLISECONDS, loop=0
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))

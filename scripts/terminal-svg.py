#!/usr/bin/env python3
"""Turns the text of a terminal, with its colours, into an SVG picture.

    tmux capture-pane -e -p -t demo | scripts/terminal-svg.py "driftd demo" > docs/demo.svg

Only what `tmux capture-pane -e` writes is understood: lines of text with SGR codes (bold, faint, the 8 + 8 colours).
"""

import re
import sys
import unicodedata
from html import escape

CELL, LINE, SIZE, PAD, BAR = 8.4, 19, 14, 16, 30
BACKGROUND, FOREGROUND, FAINT = "#0f1720", "#d6dee6", "#7d8b99"
COLOURS = ["#3b4754", "#ff7b72", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#39c5cf", "#d6dee6"]


def width(character):
    if unicodedata.combining(character) or character == "\ufe0f":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def runs(line):
    """Yields (column, text, style) for each piece of one style."""
    column, style = 0, (None, False, False)
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if part.startswith("\x1b["):
            colour, bold, faint = style
            for code in [int(c or 0) for c in part[2:-1].split(";")]:
                if code == 0:
                    colour, bold, faint = None, False, False
                elif code == 1:
                    bold = True
                elif code == 2:
                    faint = True
                elif code == 22:
                    bold = faint = False
                elif code == 39:
                    colour = None
                elif 30 <= code <= 37:
                    colour = COLOURS[code - 30]
                elif 90 <= code <= 97:
                    colour = COLOURS[code - 90]
            style = (colour, bold, faint)
        elif part:
            yield column, part, style
            column += sum(map(width, part))


def pieces(column, text):
    """Splits a run at wide characters and wide gaps, which viewers draw as they like: each piece stands at its own column."""
    for piece in re.findall(r" {2,}|(?:(?! {2})[^\u2e80-\U0010ffff✅✓✗])+|.\ufe0f?", text):
        yield column, piece
        column += sum(map(width, piece))


def main():
    title = sys.argv[1] if len(sys.argv) > 1 else "terminal"
    lines = sys.stdin.read().rstrip().split("\n")
    columns = max(sum(width(c) for c in re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in lines)
    w, h = round(columns * CELL + 2 * PAD), BAR + len(lines) * LINE + 2 * PAD
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" aria-label="{escape(title)}">',
        f'<rect width="{w}" height="{h}" rx="9" fill="{BACKGROUND}"/>',
        *(f'<circle cx="{20 + i * 20}" cy="18" r="6" fill="{c}"/>' for i, c in enumerate(["#ff5f57", "#febc2e", "#28c840"])),
        f'<text x="{w / 2}" y="23" fill="{FAINT}" text-anchor="middle" font-family="sans-serif" font-size="13">{escape(title)}</text>',
        f'<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="{SIZE}">',
    ]
    for row, line in enumerate(lines):
        y = BAR + PAD + row * LINE + SIZE
        for start, run, (colour, bold, faint) in runs(line):
            look = f'fill="{colour or FOREGROUND}"'
            if faint:
                look = f'fill="{FAINT}"' if colour is None else look + ' opacity="0.7"'
            if bold:
                look += ' font-weight="bold"'
            for column, piece in pieces(start, run):
                if not piece.strip():
                    continue
                lead = len(piece) - len(piece.lstrip(" "))
                piece, column = piece.strip(" "), column + lead
                length = sum(map(width, piece)) * CELL
                fixed = f' textLength="{length:.1f}"' if len(piece) > 1 else ""
                out.append(f'<text x="{PAD + column * CELL:.1f}" y="{y}" {look}{fixed}>{escape(piece)}</text>')
    out += ["</g>", "</svg>"]
    print("\n".join(out))


main()

"""The chart of docs/PERFORMANCE.md: bars of rows a CPU second."""

from html import escape

WIDTH, LINE, BAR, LEFT, RIGHT = 860, 26, 16, 420, 90
INK, OURS, THEIRS, PAPER = "#24292f", "#0969da", "#afb8c1", "#ffffff"


def write(path, groups, medians, names):
    """One group of bars after the other, each with a scale of its own that begins at 0."""
    y, body = 34, []
    for title, members in groups:
        members = [member for member in members if member in medians]
        most = max(medians[member] for member in members)
        body.append(f'<text x="16" y="{y}" font-weight="bold">Rows a CPU second, {escape(title)}</text>')
        y += 12
        for place, member in enumerate(members):
            rate, color = medians[member], THEIRS if place else OURS
            width = max(1, (WIDTH - LEFT - RIGHT) * rate / most)
            middle = y + BAR / 2
            body.append(f'<text x="{LEFT - 8}" y="{middle}" dy="0.35em" text-anchor="end">{escape(names[member])}</text>')
            body.append(f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" fill="{color}"/>')
            body.append(f'<text x="{LEFT + width + 6:.1f}" y="{middle}" dy="0.35em">{rate:,.0f}</text>')
            y += LINE
        y += 34
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y - 34}" viewBox="0 0 {WIDTH} {y - 34}" '
    head += f'font-family="system-ui, sans-serif" font-size="13" fill="{INK}">\n<rect width="100%" height="100%" fill="{PAPER}"/>\n'
    path.write_text(head + "\n".join(body) + "\n</svg>\n")

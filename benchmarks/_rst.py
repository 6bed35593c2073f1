"""Tables of reStructuredText."""


def rst_table(header, rows):
    lines = [".. list-table::", "    :header-rows: 1", ""]
    for row in (header, *rows):
        for number, cell in enumerate(row):
            mark = "- " if number else "* - "
            text = " ".join(_plain(str(cell)).split())
            lines.append(f"    {mark if not number else '  ' + mark}{text}")
    return "\n".join(lines)


def _plain(text):
    """Keep what reST would take for its own, but for literals."""
    parts = text.split("``")
    parts[::2] = [
        part.replace("\\", "\\\\")
        .replace("*", "\\*")
        .replace("`", "\\`")
        .replace("|", "\\|")
        .replace("_ ", "\\_ ")
        for part in parts[::2]
    ]
    return "``".join(parts)

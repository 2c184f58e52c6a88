"""Make the two faces of Flawmark Sans from three OFL fonts.

    python3 build.py --latin NotoSans.ttf --chinese NotoSansSC.ttf --symbols NotoSansSymbols2.ttf --style Regular
    python3 build.py --latin NotoSans-Bold.ttf --chinese NotoSansSC-Bold.ttf --symbols NotoSansSymbols2.ttf --style Bold

Run it again when the words, the flaw catalogue or the samples have gained a
character; TestFonts_CoverEveryTextOfTheHouse says so. Needs fonttools.
"""
import argparse
import pathlib
import tempfile

from fontTools import merge, subset
from fontTools.ttLib import TTFont

HERE = pathlib.Path(__file__).resolve().parent
ASSETS = HERE.parent
FAMILY = "Flawmark Sans"
SYMBOLS = (
    "¥€↑↓←→↔✓✗✔✘×÷·…▣○●■□▢▲△▼▽▶◀◆◇★☆⏱⌛⏎⌫⚠"
    "≤≥≈≠±−∞√№℃™′″½¼¾⅓⅛⅜⅝⅞◯"
)


def wanted():
    """The code points the two programs can be asked to show."""
    points = set(map(ord, SYMBOLS))
    for first, last in (
        (0x20, 0x7E), (0xA0, 0x17F), (0x1A0, 0x1A1), (0x1AF, 0x1B0), (0x218, 0x21B),
        (0x300, 0x303), (0x391, 0x3C9), (0x400, 0x45F), (0x1EA0, 0x1EF9),
        (0x2010, 0x2027), (0x2030, 0x205E), (0x2460, 0x2473), (0x3000, 0x303F), (0xFF01, 0xFFE6),
    ):
        points.update(range(first, last + 1))
    for row in range(0xB0, 0xD8):  # GB 2312 level 1
        for cell in range(0xA1, 0xFF):
            try:
                points.add(ord(bytes([row, cell]).decode("gb2312")))
            except UnicodeDecodeError:
                pass
    for pattern in ("*/*.json", "words/*/*.json", "*/*.csv"):
        for path in ASSETS.glob(pattern):
            points.update(c for c in map(ord, path.read_text("utf-8")) if c >= 0xA0)
    return points


def latin(point):
    """Whether the Latin font draws it; arrows keep the Chinese font's width."""
    return point < 0x2010 or (0x2010 <= point < 0x2460 and point not in range(0x2190, 0x2194))


def take(source, points, target, layout):
    font = TTFont(source)
    found = set(font.getBestCmap()) & points
    options = subset.Options()
    options.hinting = False
    options.glyph_names = False
    options.notdef_outline = True
    options.name_IDs = ["*"]
    options.layout_features = ["kern", "mark", "mkmk", "ccmp", "tnum"] if layout else []
    options.drop_tables += ["STAT", "DSIG", "vhea", "vmtx", "VORG", "BASE", "meta"]
    if not layout:
        options.drop_tables += ["GSUB", "GPOS", "GDEF"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=found)
    subsetter.subset(font)
    font.save(target)
    return found, font["name"].getDebugName(0)


def set_line(font):
    """Give a line the same room in all three places that programs read it from.

    Noto Sans's own figures hold its descenders and the Chinese glyphs. Noto Sans
    SC's typographic ones do not: with them toolkits cut the tails of g and p.
    """
    font["hhea"].ascent = font["OS/2"].sTypoAscender = font["OS/2"].usWinAscent = 1069
    font["hhea"].descent = font["OS/2"].sTypoDescender = -293
    font["OS/2"].usWinDescent = 293
    font["hhea"].lineGap = font["OS/2"].sTypoLineGap = 0


def main():
    flags = argparse.ArgumentParser()
    for name in ("latin", "chinese", "symbols"):
        flags.add_argument("--" + name, required=True)
    flags.add_argument("--style", choices=("Regular", "Bold"), required=True)
    args = flags.parse_args()
    left, parts, owners = wanted(), [], []
    with tempfile.TemporaryDirectory() as folder:
        for name, keep, layout in (
            ("latin", latin, True),
            ("chinese", lambda _: True, False),
            ("symbols", lambda _: True, False),
        ):
            target = str(pathlib.Path(folder) / (name + ".ttf"))
            found, owner = take(getattr(args, name), {p for p in left if keep(p)}, target, layout)
            left -= found
            parts.append(target)
            owners.append(owner)
        font = merge.Merger().merge(parts)
    texts = {
        0: "; ".join(owners), 1: FAMILY, 3: f"{FAMILY} {args.style}", 4: f"{FAMILY} {args.style}",
        6: f"{FAMILY.replace(' ', '')}-{args.style}", 16: FAMILY,
    }
    for record in list(font["name"].names):
        if record.nameID == 7:  # the trademark notice is for the unchanged fonts
            font["name"].names.remove(record)
        elif record.nameID in texts:
            record.string = texts[record.nameID]
    chinese = TTFont(args.chinese)
    set_line(font)
    bold = args.style == "Bold"
    font["head"].macStyle = int(bold)
    font["OS/2"].usWeightClass = 700 if bold else 400
    font["OS/2"].fsSelection = (font["OS/2"].fsSelection & 0x80) | (0x20 if bold else 0x40)
    font["head"].created = font["head"].modified = chinese["head"].created
    font.recalcTimestamp = False
    font.save(HERE / f"FlawmarkSans-{args.style}.ttf")
    print(args.style, len(font.getBestCmap()), "characters; in none of the fonts:", " ".join("U+%04X" % p for p in sorted(left)))


if __name__ == "__main__":
    main()

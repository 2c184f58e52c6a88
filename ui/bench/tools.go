package bench

import (
	"flawmark/app/qc"
	"flawmark/ui/look"
)

// railTool is a tool as the rail beside the photo and the menu offer it.
type railTool struct {
	tool  qc.Tool // empty: select and move
	icon  look.Icon
	id    string // of the command
	words string // key of what it does
	keys  string // its letters and its key on the keypad
}

// toolRail is the one table of tools on the screen, row by row.
func toolRail() []railTool {
	return []railTool{
		{"", look.IconSelect, "tool.select", "station.do.select", "V KP0 Ctrl+M"},
		{qc.Box, look.IconBox, "tool.box", "station.do.box", "R KP1"},
		{qc.Ellipse, look.IconEllipse, "tool.ellipse", "station.do.ellipse", "E KP2"},
		{qc.Arrow, look.IconArrow, "tool.arrow", "station.do.arrow", "A KP5"},
		{qc.Line, look.IconLine, "tool.line", "station.do.line", "L KP4"},
		{qc.Freehand, look.IconFreehand, "tool.freehand", "station.do.freehand", "F KP3"},
		{qc.Polygon, look.IconPolygon, "tool.polygon", "station.do.polygon", "G"},
		{qc.Badge, look.IconBadge, "tool.badge", "station.do.badge", "S N KP7"},
		{qc.Text, look.IconText, "tool.text", "station.do.text", "T KP6"},
		{qc.Highlighter, look.IconHighlighter, "tool.highlight", "station.do.highlight", "H"},
		{qc.Inset, look.IconInset, "tool.inset", "station.do.inset", "Z KP9"},
		{qc.Spotlight, look.IconSpotlight, "tool.spotlight", "station.do.spotlight", "D KP."},
		{qc.Measure, look.IconMeasure, "tool.measure", "station.do.measure", "Q M KP/"},
		{qc.Redaction, look.IconRedact, "tool.redact", "station.do.redact", "B KP8"},
	}
}

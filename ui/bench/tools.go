package bench

import (
	"flawmark/app/qc"
	"flawmark/ui/look"

	"fyne.io/fyne/v2"
)

// railTool is a tool as the rail beside the photo and the menu offer it.
type railTool struct {
	tool  qc.Tool // empty: select and move
	icon  look.Icon
	words string       // key of what it does
	key   fyne.KeyName // its letter
	menu  fyne.KeyName // with Ctrl
	shift bool         // and Shift
}

// toolRail is the one table of tools on the screen, from the top.
func toolRail() []railTool {
	return []railTool{
		{"", look.IconSelect, "station.do.select", fyne.KeyV, fyne.KeyM, false},
		{qc.Box, look.IconBox, "station.do.box", fyne.KeyR, fyne.KeyR, false},
		{qc.Ellipse, look.IconEllipse, "station.do.ellipse", fyne.KeyE, fyne.KeyE, true},
		{qc.Arrow, look.IconArrow, "station.do.arrow", fyne.KeyA, fyne.KeyT, false},
		{qc.Line, look.IconLine, "station.do.line", fyne.KeyL, fyne.KeyL, true},
		{qc.Freehand, look.IconFreehand, "station.do.freehand", fyne.KeyF, fyne.KeyF, true},
		{qc.Polygon, look.IconPolygon, "station.do.polygon", fyne.KeyG, fyne.KeyG, true},
		{qc.Badge, look.IconBadge, "station.do.badge", fyne.KeyS, fyne.KeyS, true},
		{qc.Highlighter, look.IconHighlighter, "station.do.highlight", fyne.KeyH, fyne.KeyH, true},
	}
}

// toolBindings are the shortcuts that arm the tools.
func toolBindings() []binding {
	var list []binding
	for _, t := range toolRail() {
		list = append(list, binding{
			Menu: menuMark, Words: t.words, Key: t.menu, Shift: t.shift, Plain: []fyne.KeyName{t.key},
			Where: screenInspect, Do: func(w *Window) { w.inspect.setTool(t.tool) },
		})
	}
	return list
}

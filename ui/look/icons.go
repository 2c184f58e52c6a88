package look

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Icon names a drawing of our own family: 24 units square, lines 2 units wide.
type Icon string

// The icons.
const (
	IconSelect Icon = "select"
	IconBox    Icon = "box"
	IconArrow  Icon = "arrow"
	IconNews   Icon = "news" // a full disc in the accent colour
)

// Resource returns the icon in the colour of texts, except IconNews.
func (i Icon) Resource() fyne.Resource {
	const head = `<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24">`
	// Fyne colours the fills of a themed drawing and leaves its strokes black,
	// so that lines are drawn as filled outlines.
	fill := func(d string) fyne.Resource {
		svg := head + `<path d="` + d + `" fill="#000000"/></svg>`
		return theme.NewThemedResource(fyne.NewStaticResource("flawmark-"+string(i)+".svg", []byte(svg)))
	}
	switch i {
	case IconBox:
		return fill("M3 5 L21 5 L21 19 L3 19 Z M5 7 L5 17 L19 17 L19 7 Z")
	case IconArrow:
		return fill("M4.7 20.7 L3.3 19.3 L16.6 6 L10 6 L10 4 L20 4 L20 14 L18 14 L18 7.4 Z")
	case IconNews:
		svg := head + `<circle cx="12" cy="12" r="5" fill="#E34234"/></svg>`
		return fyne.NewStaticResource("flawmark-news.svg", []byte(svg))
	case IconSelect:
	}
	return fill("M6 3 L6 19 L10.5 15 L14 21 L16.5 19.7 L13.2 13.8 L19 13 Z")
}

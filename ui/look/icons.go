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
	stroke := func(d string) fyne.Resource {
		svg := head + `<path d="` + d + `" fill="none" stroke="#000000" stroke-width="2"/></svg>`
		return theme.NewThemedResource(fyne.NewStaticResource("flawmark-"+string(i)+".svg", []byte(svg)))
	}
	switch i {
	case IconBox:
		return stroke("M4 6 L20 6 L20 18 L4 18 Z")
	case IconArrow:
		return stroke("M4 20 L19 5 M10 5 L19 5 L19 14")
	case IconNews:
		svg := head + `<circle cx="12" cy="12" r="5" fill="#E34234"/></svg>`
		return fyne.NewStaticResource("flawmark-news.svg", []byte(svg))
	case IconSelect:
	}
	return stroke("M6 3 L6 19 L10.5 15 L14 21 L16.5 19.7 L13.2 13.8 L19 13 Z")
}

package look

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Icon names a drawing of our own family: 24 units square, lines 2 units wide.
type Icon string

// The icons.
const (
	IconSelect      Icon = "select"
	IconBox         Icon = "box"
	IconEllipse     Icon = "ellipse"
	IconArrow       Icon = "arrow"
	IconLine        Icon = "line"
	IconFreehand    Icon = "freehand"
	IconPolygon     Icon = "polygon"
	IconBadge       Icon = "badge"
	IconHighlighter Icon = "highlighter"
	IconText        Icon = "text"
	IconInset       Icon = "inset"
	IconSpotlight   Icon = "spotlight"
	IconMeasure     Icon = "measure"
	IconRedact      Icon = "redact"
	IconNews        Icon = "news" // a full disc in the accent colour
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
	case IconEllipse:
		return fill("M22 12 C22 16.14 17.52 19.5 12 19.5 C6.48 19.5 2 16.14 2 12 C2 7.86 6.48 4.5 12 4.5 C17.52 4.5 22 7.86 " +
			"22 12 Z M20 12 C20 8.96 16.42 6.5 12 6.5 C7.58 6.5 4 8.96 4 12 C4 15.04 7.58 17.5 12 17.5 C16.42 17.5 20 " +
			"15.04 20 12 Z")
	case IconLine:
		return fill("M3.3 19.3 L19.3 3.3 L20.7 4.7 L4.7 20.7 Z")
	case IconFreehand:
		return fill("M3.4 20.6 L2 19.2 C6 14 3 9 7.5 5.2 C11 2.4 14 5.5 12.6 9.5 C11.6 12.6 10.6 15.4 12.6 16.2 C15 17 17 13 " +
			"20.6 11.4 L21.4 13.2 C18 14.6 16 19.6 12 18.1 C8.6 16.6 9.8 12.4 10.7 8.9 C11.4 6.6 10 5.8 8.7 6.8 C5.6 " +
			"9.4 8 15 3.4 20.6 Z")
	case IconPolygon:
		return fill("M12 2.6 L21.6 9.8 L17.8 21 L6.2 21 L2.4 9.8 Z M12 5.1 L4.8 10.5 L7.6 19 L16.4 19 L19.2 10.5 Z")
	case IconBadge:
		return fill("M16 9 C16 12.87 12.87 16 9 16 C5.13 16 2 12.87 2 9 C2 5.13 5.13 2 9 2 C12.87 2 16 5.13 16 9 Z M14 9 C14 " +
			"6.24 11.76 4 9 4 C6.24 4 4 6.24 4 9 C4 11.76 6.24 14 9 14 C11.76 14 14 11.76 14 9 Z M8.4 5.4 L10.2 5.4 " +
			"L10.2 12.6 L8.4 12.6 L8.4 7.7 L7 8.4 L7 6.5 Z M14 15.4 L15.4 14 L22 20.6 L20.6 22 Z")
	case IconHighlighter:
		return fill("M3 20 L21 20 L21 22 L3 22 Z M14.5 2.5 L20.5 8.5 L12.5 16 L9 16 L7 18 L4 18 L7 15 L7 10.5 Z M14.5 5.3 L9 " +
			"10.9 L9 14 L12 14 L17.7 8.5 Z")
	case IconText:
		return fill("M4 4 L20 4 L20 9 L18 9 L18 6 L13 6 L13 18 L16 18 L16 20 L8 20 L8 18 L11 18 L11 6 L6 6 L6 9 L4 9 Z")
	case IconInset:
		return fill("M17 10 C17 13.87 13.87 17 10 17 C6.13 17 3 13.87 3 10 C3 6.13 6.13 3 10 3 C13.87 3 17 6.13 17 10 Z M15 10 " +
			"C15 7.24 12.76 5 10 5 C7.24 5 5 7.24 5 10 C5 12.76 7.24 15 10 15 C12.76 15 15 12.76 15 10 Z M9 7 L9 9 L7 9 L7 11 " +
			"L9 11 L9 13 L11 13 L11 11 L13 11 L13 9 L11 9 L11 7 Z M14.6 16 L16 14.6 L21.7 20.3 L20.3 21.7 Z")
	case IconSpotlight:
		return fill("M2 3 L22 3 L22 21 L2 21 Z M18 12 C18 8.69 15.31 6 12 6 C8.69 6 6 8.69 6 12 C6 15.31 8.69 18 12 18 C15.31 18 " +
			"18 15.31 18 12 Z")
	case IconMeasure:
		return fill("M1 7 L23 7 L23 17 L1 17 Z M3 9 L3 15 L21 15 L21 9 L19 9 L19 12 L17 12 L17 9 L15 9 L15 11 L13 11 L13 9 L11 9 " +
			"L11 12 L9 12 L9 9 L7 9 L7 11 L5 11 L5 9 Z")
	case IconRedact:
		return fill("M3 4 L21 4 L21 6 L3 6 Z M2 8.5 L22 8.5 L22 15.5 L2 15.5 Z M3 18 L15 18 L15 20 L3 20 Z")
	case IconNews:
		svg := head + `<circle cx="12" cy="12" r="5" fill="#E34234"/></svg>`
		return fyne.NewStaticResource("flawmark-news.svg", []byte(svg))
	case IconSelect:
	}
	return fill("M6 3 L6 19 L10.5 15 L14 21 L16.5 19.7 L13.2 13.8 L19 13 Z")
}

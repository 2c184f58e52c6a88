package widgets

import (
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
)

// updateWords shows the placeholder's lines where there is no photo.
func (c *PhotoCanvas) updateWords() {
	lines := []string{}
	if c.key == "" && c.placeholder != "" {
		lines = strings.Split(c.placeholder, "\n")
	}
	for len(c.words) < len(lines) {
		text := canvas.NewText("", color.White)
		text.Alignment = fyne.TextAlignCenter
		c.words = append(c.words, text)
	}
	size := c.Theme().Size(theme.SizeNameText)
	high := size * 1.6
	for i, text := range c.words {
		if i >= len(lines) {
			text.Hide()
			continue
		}
		text.Text, text.TextSize = lines[i], size
		text.Move(fyne.NewPos(0, c.Size().Height/2-high*float32(len(lines))/2+high*float32(i)))
		text.Resize(fyne.NewSize(c.Size().Width, high))
		text.Show()
		text.Refresh()
	}
}

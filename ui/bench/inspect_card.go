package bench

import (
	"strconv"

	"flawmark/app/qc"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// itemCard says what was ordered.
type itemCard struct {
	w       *Window
	box     *fyne.Container
	listing *canvas.Image
	fields  []fyne.CanvasObject
	column  *column
	shown   qc.ItemID
}

func newItemCard(w *Window) *itemCard {
	c := &itemCard{w: w, listing: &canvas.Image{FillMode: canvas.ImageFillContain}, column: newColumn()}
	// An empty visible picture is repainted for ever in Fyne (issue 4345).
	c.listing.Hide()
	c.listing.SetMinSize(fyne.NewSize(0, 150*scale()))
	c.box = panel(c.column.scroll)
	return c
}

func (c *itemCard) refresh() {
	item, open := c.w.station.Inspection.Item()
	if !open {
		c.shown = ""
		c.listing.Hide()
		c.column.set(quiet(c.w.say("station.card_empty")))
		return
	}
	img := c.w.station.Pictures.Small(item.ListingPhoto)
	switch {
	case img == nil:
		c.listing.Hide()
	case c.listing.Image != img || !c.listing.Visible():
		c.listing.Image = img
		c.listing.Show()
		c.listing.Refresh()
		c.place()
	}
	if c.shown == item.ID {
		return
	}
	c.shown = item.ID
	lang := c.w.words.Language()
	other := item.Title.ZH
	if lang == "zh" {
		other = item.Title.EN
	}
	c.fields = []fyne.CanvasObject{bold(item.Title.In(lang)), text(other)}
	if item.CustomerNote != "" {
		note := text(item.CustomerNote)
		note.Importance = widget.WarningImportance
		c.add("word.customer_note", note)
	}
	c.add("word.variant", text(item.Variant.In(lang)))
	c.add("word.quantity", text(strconv.Itoa(item.Quantity)))
	c.add("word.price", text(item.UnitPrice.String()))
	c.add("role.seller", text(item.Seller))
	c.add("word.waybill", text(string(item.Waybill)))
	c.add("word.order", text(string(item.Order)))
	c.place()
}

// place shows the listing photo above the fields.
func (c *itemCard) place() {
	c.column.set(append([]fyne.CanvasObject{c.listing}, c.fields...)...)
}

func (c *itemCard) add(key string, value fyne.CanvasObject) {
	c.fields = append(c.fields, container.New(tight{}, quiet(c.w.say(key)), value))
}

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
	fields  *fyne.Container
	column  *fyne.Container
	shown   qc.ItemID
}

func newItemCard(w *Window) *itemCard {
	c := &itemCard{w: w, listing: &canvas.Image{FillMode: canvas.ImageFillContain}, fields: container.NewVBox()}
	// An empty visible picture is repainted for ever in Fyne (issue 4345).
	c.listing.Hide()
	c.listing.SetMinSize(fyne.NewSize(0, 150*scale()))
	c.column = container.NewVBox(c.listing, c.fields)
	c.box = panel(container.NewVScroll(c.column))
	return c
}

func (c *itemCard) refresh() {
	item, open := c.w.station.Inspection.Item()
	if !open {
		c.shown = ""
		c.listing.Hide()
		c.fields.Objects = []fyne.CanvasObject{quiet(c.w.say("station.card_empty"))}
		c.fields.Refresh()
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
		c.column.Refresh()
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
	c.fields.Objects = []fyne.CanvasObject{bold(item.Title.In(lang)), text(other)}
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
	c.column.Refresh()
}

func (c *itemCard) add(key string, value fyne.CanvasObject) {
	c.fields.Add(container.New(tight{}, quiet(c.w.say(key)), value))
}

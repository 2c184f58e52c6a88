package bench

import (
	"flawmark/app/qc"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// queueScreen says how far everything recorded here has travelled.
type queueScreen struct {
	w      *Window
	root   *fyne.Container
	body   fyne.CanvasObject
	list   *keyList
	detail *column
	shift  *widget.Label
	hold   *widget.Button
	at     int
}

func newQueueScreen(w *Window) *queueScreen {
	q := &queueScreen{w: w, root: container.NewStack(), detail: newColumn()}
	q.list = newKeyList(w, func() int { return len(w.station.Queue.Rows()) }, newRow, q.row)
	q.list.OnSelected = func(id int) {
		if !q.list.showing {
			q.at = id
			q.showDetail()
		}
	}
	send := widget.NewButtonWithIcon(w.say("station.queue.send_now")+"   Ctrl+S", theme.MailSendIcon(), w.station.Queue.SendNow)
	q.hold = widget.NewButtonWithIcon(w.say("station.queue.pause"), theme.MediaPauseIcon(), func() {
		w.station.Queue.Pause(!w.station.Queue.Paused())
	})
	q.shift = small("")
	side := panel(container.NewBorder(nil, container.NewVBox(q.hold, send), nil, nil, q.detail.scroll))
	q.body = page(w.say("screen.queue"), w.say("station.queue.about"), container.NewBorder(q.shift, nil, nil, nil, q.list), side)
	return q
}

func (q *queueScreen) content() fyne.CanvasObject { return q.root }

func (q *queueScreen) focus() { q.w.focusOn(q.list) }

func (q *queueScreen) move(by int) {
	q.at = max(0, min(q.at+by, len(q.w.station.Queue.Rows())-1))
	q.list.show(q.at)
	q.showDetail()
}

func (q *queueScreen) row(id int, o fyne.CanvasObject) {
	rows := q.w.station.Queue.Rows()
	if id >= len(rows) {
		return
	}
	row := rows[id]
	importance := widget.MediumImportance
	switch row.Recorded.Delivery {
	case qc.Accepted:
		importance = widget.SuccessImportance
	case qc.Attention:
		importance = widget.DangerImportance
	case qc.OnlyHere, qc.Sending:
	}
	second := row.Delivery.In(q.w.words)
	if !row.Problem.IsZero() {
		second += ": " + row.Problem.In(q.w.words)
	}
	setRow(o, row.At+"   "+row.What.In(q.w.words), second, importance)
}

func (q *queueScreen) refresh() {
	queue := q.w.station.Queue
	o := q.body
	switch {
	case !queue.Loaded():
		o = emptyState(q.w.say("station.loading"), "", nil)
	case len(queue.Rows()) == 0:
		o = emptyState(q.w.say("station.queue.none"), q.w.say("screen.inspect"), func() { q.w.Show(screenInspect) })
	}
	if len(q.root.Objects) != 1 || q.root.Objects[0] != o {
		q.root.Objects = []fyne.CanvasObject{o}
		q.root.Refresh()
	}
	if o == q.body {
		q.shift.SetText(queue.Shift("").Sentence().In(q.w.words))
		key, icon := "station.queue.pause", theme.MediaPauseIcon()
		if queue.Paused() {
			key, icon = "station.queue.resume", theme.MediaPlayIcon()
		}
		if text := q.w.say(key); q.hold.Text != text {
			q.hold.Icon = icon
			q.hold.SetText(text)
		}
		q.at = max(0, min(q.at, len(queue.Rows())-1))
		q.list.Refresh()
		q.list.show(q.at)
		q.showDetail()
	}
}

func (q *queueScreen) showDetail() {
	rows := q.w.station.Queue.Rows()
	if q.at < 0 || q.at >= len(rows) {
		return
	}
	row := rows[q.at]
	box := []fyne.CanvasObject{
		bold(row.What.In(q.w.words)), small(row.At + " · " + string(row.Recorded.By)), text(row.Delivery.In(q.w.words)),
	}
	if !row.Problem.IsZero() {
		problem := text(row.Problem.In(q.w.words))
		problem.Importance = widget.DangerImportance
		box = append(box, problem)
	}
	if item, ok := row.Again(); ok {
		box = append(box, widget.NewButtonWithIcon(q.w.say("station.queue.again", "item", string(item)), theme.ViewRefreshIcon(), func() {
			q.w.Show(screenInspect)
			q.w.station.Inspection.Open(item)
		}))
	}
	if row.Recorded.Photos > 0 {
		box = append(box, small(q.w.say("delivery.photos", "n", row.Recorded.PhotosSent, "m", row.Recorded.Photos)))
		if row.Recorded.Bytes > 0 {
			bar := widget.NewProgressBar()
			bar.SetValue(float64(row.Recorded.BytesSent) / float64(row.Recorded.Bytes))
			box = append(box, bar)
		}
	}
	if f := row.Recorded.Finding; f != nil {
		for n, flaw := range f.Flaws {
			name := string(flaw.Code)
			if kinds := q.w.station.Inspection.Search(name); len(kinds) > 0 {
				name += " " + kinds[0].Name().In(q.w.words.Language())
			}
			box = append(box, small(q.w.say("station.flaw_line", "n", n+1, "flaw", name, "severity",
				q.w.say("severity."+string(flaw.Severity)+".letter"))))
		}
	}
	q.detail.set(box...)
}

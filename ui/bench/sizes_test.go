package bench

import (
	"strings"
	"testing"

	"flawmark/app/qc"
	"flawmark/assets"
	"flawmark/ui/model"
)

// Long titles, a large size and the dark appearance must not cut anything.
func TestScreens_LargeDarkAndLongTexts(t *testing.T) {
	for _, language := range assets.Languages() {
		r := newRig(t, language, 1920, 1040)
		for n := range r.store.Goods {
			item := &r.store.Goods[n]
			item.Title = qc.Bilingual{EN: strings.Repeat("Winter trainers with thick soles ", 5), ZH: strings.Repeat("冬季加绒加厚防滑高帮运动鞋", 6)}
			item.Variant = qc.Bilingual{EN: "EU 42 (European size), glacier white with grey laces", ZH: "欧码42（冰川白配灰色鞋带）升级加厚款"}
			item.Seller = strings.Repeat("潮流前线鞋店旗舰", 4)
			item.CustomerNote = strings.Repeat("Please check the soles and the laces. ", 6)
		}
		r.engine.Now = model.Link{State: "not_authorised", EventsWaiting: 120, PhotosWaiting: 400, PhotosTotal: 900}
		r.station.Settings.Set(model.Settings{Name: "Bench 3", Centre: "https://centre.example", Language: language, Scale: 1.5, Dark: true})
		r.restyle()
		r.signIn("B0007")
		r.flawed()
		r.station.Inspection.SetNote(r.station.Inspection.ActiveFlaw(), strings.Repeat("a long note ", 20))
		r.station.Inspection.Activate("")
		shoot := func(name string) {
			t.Helper()
			r.settle()
			r.checkTexts(name + "-" + language)
			r.capture("large-" + name + "-" + language)
		}
		shoot("inspect")
		r.station.Notices.Warn(model.Say("error.disk_full"))
		shoot("notice")
		r.station.Notices.Clear()
		r.lists()
		for _, name := range []screenName{screenReview, screenQueue, screenCases, screenSettings} {
			r.Show(name)
			shoot(string(name))
		}
		r.showHelp()
		r.capture("large-help-" + language)
		r.escape()
		if r.popup != nil {
			t.Error("Esc left the help open")
		}
	}
}

func TestScreens_EmptyAndUnconnected(t *testing.T) {
	r := newRig(t, "en", 1366, 740)
	r.store.People, r.store.Who = nil, nil
	r.engine.Now = model.Link{State: "not_enrolled"}
	r.station.Refresh()
	r.settle()
	r.checkTexts("nobody")
	r.capture("nobody")
	r.choose("screen.settings")
	r.checkTexts("not enrolled")
	r.capture("settings-not-enrolled")
	if r.screen != screenSettings {
		t.Errorf("without anybody known the settings are not reachable, only %s", r.screen)
	}
	r.choose("screen.inspect")
	if r.screen != screenSignIn {
		t.Errorf("without anybody signed in the screen is %s", r.screen)
	}
}

package qc

import "testing"

func TestHalfWidth(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "SF-1 白色": "SF-1 白色", "ＳＦ－１２３": "SF-123", "￥４０１．５０，（元）　～": "¥401.50,(元) ~", "、。": "、。",
	} {
		if got := HalfWidth(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	if waybill, err := ParseWaybill("ｓｆ１２３４５６７８９０"); err != nil || waybill != "SF1234567890" {
		t.Errorf("a waybill in full width is %q, %v", waybill, err)
	}
}

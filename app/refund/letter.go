package refund

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"flawmark/app/qc"
)

// Reader is whom a letter of the desk is for.
type Reader string

// The readers. A seller reads Chinese.
const (
	ToSeller   Reader = "seller"
	ToCustomer Reader = "customer"
)

// Template is a text of the desk with fields such as {item}, in one version.
type Template struct {
	ID      string       `json:"id"`
	Version int          `json:"version"` // from 1
	For     Reader       `json:"for"`
	Name    qc.Bilingual `json:"name"`
	Text    qc.Bilingual `json:"text"` // of a seller's: in Chinese alone
	Retired bool         `json:"retired,omitempty"`
	By      qc.StaffID   `json:"by,omitempty"` // empty: it came with the program
	At      time.Time    `json:"at,omitzero"`
}

// Letter is what the desk wrote to somebody outside of the centre, as a clerk
// says that it was sent.
type Letter struct {
	ID       string     `json:"id"`
	Case     qc.CaseID  `json:"case"`
	For      Reader     `json:"for"`
	Language string     `json:"language"`
	Template string     `json:"template"`
	Version  int        `json:"version"` // of the template
	Text     string     `json:"text"`
	By       qc.StaffID `json:"by"`
	At       time.Time  `json:"at"`
}

// LetterFields lists the fields that a template may have.
func LetterFields() []string {
	return []string{
		"item", "variant", "quantity", "order", "platform_order", "seller", "customer", "flaws", "reason", "refused", "refusals",
		"amount", "received", "missing", "deadline", "waybill", "return_waybill", "seller_ref",
	}
}

// Limits of templates and letters, in letters.
const (
	MaxTemplateName = 60
	MaxLetter       = 2000
)

// Why a template cannot be kept. Each is a sentence under the key "error."
// plus its text.
var (
	ErrTemplateEmpty = errors.New("template_empty") // it lacks a name or a text
	ErrTemplateLong  = errors.New("template_long")
	ErrTemplateField = errors.New("template_field") // a field that no case has
)

var letterField = regexp.MustCompile(`\{([^{}\s]*)\}`)

// Check returns why the template cannot be kept; nil when it can.
func (t Template) Check() error {
	texts := []string{t.Text.ZH}
	if t.For == ToCustomer {
		texts = append(texts, t.Text.EN)
	}
	for _, name := range []string{t.Name.EN, t.Name.ZH} {
		if strings.TrimSpace(name) == "" {
			return ErrTemplateEmpty
		}
		if utf8.RuneCountInString(name) > MaxTemplateName {
			return ErrTemplateLong
		}
	}
	for _, text := range texts {
		switch {
		case strings.TrimSpace(text) == "" || t.For != ToSeller && t.For != ToCustomer:
			return ErrTemplateEmpty
		case utf8.RuneCountInString(text) > MaxLetter:
			return ErrTemplateLong
		case t.Unknown() != "":
			return ErrTemplateField
		}
	}
	return nil
}

// Unknown returns the first field of the template that no case has; empty when
// there is none.
func (t Template) Unknown() string {
	for _, text := range []string{t.Text.ZH, t.Text.EN} {
		for _, field := range letterField.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(LetterFields(), field[1]) {
				return field[0]
			}
		}
	}
	return ""
}

// Fill puts values into the fields of a text. A field without a value stays as
// it is and is named among those that lack.
func Fill(text string, values map[string]string) (filled string, lack []string) {
	filled = letterField.ReplaceAllStringFunc(text, func(field string) string {
		name := field[1 : len(field)-1]
		value := values[name]
		if value == "" {
			if !slices.Contains(lack, field) {
				lack = append(lack, field)
			}
			return field
		}
		return value
	})
	return filled, lack
}

// FirstTemplates are the texts that come with the program. A desk changes them
// as it likes.
func FirstTemplates() []Template {
	seller := func(id, en, zh, text string) Template {
		return Template{ID: id, Version: 1, For: ToSeller, Name: qc.Bilingual{EN: en, ZH: zh}, Text: qc.Bilingual{ZH: text}}
	}
	customer := func(id, en, zh, inEnglish, inChinese string) Template {
		return Template{
			ID: id, Version: 1, For: ToCustomer, Name: qc.Bilingual{EN: en, ZH: zh}, Text: qc.Bilingual{EN: inEnglish, ZH: inChinese},
		}
	}
	return []Template{
		seller("seller-claim", "Claim", "提出申请",
			"您好，订单{platform_order}的“{item}”（{variant}，{quantity}件）验货发现：{flaws}。照片已上传，申请原因：{reason}，请同意退款{amount}，谢谢。"),
		seller("seller-nudge", "Ask for an answer", "催促答复",
			"您好，订单{platform_order}“{item}”的售后申请还没有处理，请在{deadline}前答复，谢谢。"),
		seller("seller-again", "Ask again after a refusal", "被拒后再次申请",
			"您好，订单{platform_order}“{item}”的申请被拒绝（{refused}）。我们补充了照片：{flaws}，属于“{reason}”。请重新核实并同意退款{amount}；如仍不同意，我们将申请平台介入。"),
		seller("seller-returned", "The parcel was received", "退货已签收",
			"您好，订单{platform_order}“{item}”的退货（运单{return_waybill}）已签收，请尽快退款{amount}，谢谢。"),
		seller("seller-short", "Too little was paid", "退款不足",
			"您好，订单{platform_order}“{item}”应退{amount}，实收{received}，还差{missing}，请补退，谢谢。"),
		customer("customer-refused", "The seller refused", "卖家拒绝",
			"Hello {customer}, the seller of “{item}” refused: {refused}. We can ask again or ask the marketplace to decide; please tell us by {deadline} on the order page.",
			"{customer}您好，“{item}”的卖家拒绝了申请：{refused}。可以再次申请或请平台介入，请在{deadline}前在订单页告诉我们。"),
		customer("customer-waiting", "We are waiting for the seller", "等待卖家",
			"Hello {customer}, we asked the seller of “{item}” for {amount}. They have until {deadline} to answer; you need not do anything.",
			"{customer}您好，“{item}”已向卖家申请退款{amount}，卖家须在{deadline}前答复，您无需操作。"),
		customer("customer-sent-back", "The item is on its way back", "退货已寄出",
			"Hello {customer}, “{item}” is on its way back to the seller (waybill {return_waybill}). {amount} is credited to your balance once the seller has paid.",
			"{customer}您好，“{item}”已寄回卖家（运单{return_waybill}）。卖家退款后，{amount}将退至您的余额。"),
	}
}

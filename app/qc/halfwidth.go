package qc

import "strings"

// HalfWidth writes letters, digits and signs that Chinese keyboards type in full
// width, such as ＳＦ１２３ or ￥４０１．５０, as all others type them.
func HalfWidth(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～':
			return r - ('！' - '!')
		case r == '￥':
			return '¥'
		case r == '\u3000':
			return ' '
		}
		return r
	}, text)
}

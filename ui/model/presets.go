package model

import "flawmark/app/qc"

// presetCodes returns the nine most usual kinds of flaws for a category of
// goods, in the order of the digit keys.
func presetCodes(category string) []qc.FlawCode {
	switch category {
	case "shoes":
		return []qc.FlawCode{"H11", "F04", "H01", "H02", "H08", "H16", "H10", "W03", "H19"}
	case "clothing":
		return []qc.FlawCode{"F04", "F01", "T01", "T02", "F03", "F10", "P01", "S01", "W02"}
	case "bags", "accessories":
		return []qc.FlawCode{"B01", "B05", "B02", "T05", "F04", "B06", "B03", "B11", "W02"}
	case "electronics", "toys", "home":
		return []qc.FlawCode{"E06", "E04", "E07", "E05", "E02", "E01", "Q02", "E13", "K03"}
	case "sports":
		return []qc.FlawCode{"E06", "F04", "E05", "E07", "P03", "H11", "E08", "Q02", "W01"}
	}
	return []qc.FlawCode{"F04", "F02", "E06", "E05", "T18", "W01", "W02", "Q01", "Q02"}
}
